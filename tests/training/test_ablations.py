"""The line of docs/training.md that queues the paper's ablations."""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.config.file import load_params

PROJECT = Path(__file__).parents[2]
LINE = re.compile(r"for change in (.*?); do dvc exp run --queue", re.DOTALL)


def documented() -> list[str]:
    (line,) = LINE.findall((PROJECT / "docs/training.md").read_text())
    return [word for word in line.split() if word != "\\"]


def test_the_papers_five_are_queued() -> None:
    assert len(documented()) == 5


@pytest.mark.parametrize("change", documented())
def test_each_switches_one_param_off(change: str, tmp_path: Path) -> None:
    place, value = change.split("=")
    section, name = place.split(".")
    before = getattr(getattr(load_params(PROJECT / "params.yaml"), section), name)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    params[section][name] = yaml.safe_load(value)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    changed = getattr(getattr(load_params(tmp_path / "params.yaml"), section), name)
    assert changed != before
    assert changed in (False, 0, "none")
