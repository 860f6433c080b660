"""What make does before it installs anything, and what it leaves when it cleans."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A download of the project without its history."""
    shutil.copy2(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def make(folder: Path, target: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["make", target], cwd=folder, capture_output=True, text=True, check=False)


def test_repro_asks_git_first(folder: Path) -> None:
    done = make(folder, "repro")
    assert done.returncode != 0
    assert "is not a git clone" in done.stderr
    assert "git init && git add -A && git commit -m start" in done.stderr
    assert not (folder / ".venv").exists()


def test_clean_leaves_what_the_pipeline_did_not_make(folder: Path) -> None:
    made = ("models/atnet/model.json", "models/bundle.json", "data/clips/a", "reports/index.html", "mlflow.db")
    kept = (
        "reports/metrics.json",
        "reports/.gitignore",
        "models/.gitignore",
        "models/published/atnet/model.json",
        "data/.gitignore",
        "data/raw/mine.mp4",
        "my.mp4",
    )
    for name in (*made, *kept, ".dvc/cache/files/md5/aa/bb", ".venv/bin/python"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "mine.dvc").touch()
    assert "left: .dvc/cache" in make(folder, "clean").stdout
    assert (folder / ".dvc/cache/files/md5/aa/bb").exists()
    assert all((folder / name).exists() for name in kept)
    assert not any((folder / name).exists() for name in (*made, ".venv"))
    (folder / "mine.dvc").unlink()
    make(folder, "clean")
    assert not (folder / ".dvc/cache").exists()
