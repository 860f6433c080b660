"""The command, batch tables and served bundles have exactly the settings of `Settings`."""

from dataclasses import fields
from typing import Any

import typer

from pipeline.cli import app
from pipeline.config.generation import SETTINGS, Settings
from pipeline.inference.batch import OPTIONS
from pipeline.tracking.models import BUNDLE_PARAMS


def test_the_command_has_every_setting_with_its_default_and_help() -> None:
    command: Any = typer.main.get_command(app)
    options = {param.name: param for param in command.commands["generate"].params}
    for entry in fields(Settings):
        option, info = options[entry.name], SETTINGS[entry.name]
        assert option.opts == [f"--{info.option}"]
        assert option.default == entry.default
        assert option.help.startswith(info.help)


def test_tables_and_served_bundles_have_every_setting() -> None:
    assert list(OPTIONS.values()) == list(BUNDLE_PARAMS) == list(SETTINGS)
