"""The project's GitHub workflow, and the one in docs/evaluation.md, fit the schema and run commands that exist."""

import re
import subprocess
import sys
from pathlib import Path

import typer.main
import yaml

from pipeline.cli import app

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github/workflows/ci.yml"
CHECK = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows"]


def test_the_workflow_is_valid() -> None:
    done = subprocess.run([*CHECK, str(WORKFLOW)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_schema_rejects_an_invalid_workflow(tmp_path: Path) -> None:
    wrong = tmp_path / "ci.yml"
    wrong.write_text(WORKFLOW.read_text().replace("runs-on:", "runs-at:"))
    assert subprocess.run([*CHECK, str(wrong)], capture_output=True).returncode != 0


def test_it_runs_the_makefiles_commands_on_every_python() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    commands = {step["run"].split()[1] for job in jobs.values() for step in job["steps"] if "run" in step}
    assert commands == {"lint", "test", "test-lowest"}
    targets = (ROOT / "Makefile").read_text()
    assert all(f"\n{command}: env" in targets for command in commands)
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_the_tests_for_the_lowest_versions_exist() -> None:
    names = re.search(r"^LOWEST_TESTS := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert names
    paths = [word for word in names.group(1).split() if word != "\\"]
    assert len(paths) > 10
    assert all((ROOT / path).exists() for path in paths)


def test_the_workflow_of_the_evaluation_page_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/evaluation.md").read_text(encoding="utf-8"), re.DOTALL)
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
