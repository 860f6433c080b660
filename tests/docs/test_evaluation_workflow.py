"""The workflow in docs/evaluation.md fits GitHub's schema, and its commands exist."""

import re
import subprocess
from pathlib import Path

import typer.main
import yaml

from pipeline.cli import app
from tests.docs.test_workflow import CHECK, ROOT

PAGE = ROOT / "docs/evaluation.md"


def test_the_workflow_is_valid_and_its_options_exist(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    workflow = tmp_path / "evaluation.yml"
    workflow.write_text(text)
    done = subprocess.run([*CHECK, str(workflow)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    steps = [step["run"] for step in yaml.safe_load(text)["jobs"]["evaluation"]["steps"] if "run" in step]
    calls = [re.sub(r"\$\{\{.*?\}\}", "x", step).split("|")[0].split() for step in steps if "/atvgnet " in step]
    assert [call[1] for call in calls] == ["report", "report", "gate"]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for _, name, *options in calls:
        commands[name].make_context(name, options)  # raises for an unknown option
