"""The command line as a user calls it: help, and errors without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def atvgnet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "atvgnet"), *arguments]
    wide = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    return subprocess.run(command, cwd=folder, env=wide, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(Path("params.yaml").read_text())
    return tmp_path


def test_help_names_the_commands(folder: Path) -> None:
    shown = atvgnet(folder, "--help")
    assert shown.returncode == 0
    for command in ("generate", "use", "fetch", "export", "import-upstream", "evaluate", "params", "report"):
        assert command in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "metrics.json is missing. Run `dvc repro` first."),
        (["use", "grit"], "corpus is 'grit'; it must be one of folder, grid, lrw, sample. Did you mean grid?"),
        (["use", "grid", "--root", "nowhere"], "nowhere is not a folder."),
        (
            ["generate", "-p", "a.jpg", "-i", "b.wav", "-o", "c.mp4"],
            "models is missing. Train the models with `dvc repro`, or",
        ),
    ],
)
def test_errors_are_one_message(folder: Path, arguments: list[str], message: str) -> None:
    done = atvgnet(folder, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_use_tells_what_it_changed_and_what_comes_next(folder: Path) -> None:
    done = atvgnet(folder, "use", "folder", "--root", str(folder))
    assert done.stdout.splitlines() == [
        "corpus: sample -> folder",
        f"corpora.folder.root: data/raw/folder -> {folder}",
        "Now run: dvc repro",
    ]
