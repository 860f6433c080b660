"""How git has the project: what is said of a ZIP download, a shallow clone and other places, and where nothing is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.runtime.checkout import check_checkout, check_experiment
from pipeline.runtime.errors import PipelineError

WHO = {f"GIT_{role}_{what}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, **WHO})


def commit(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dvc.yaml").write_text("stages:\n")
    git(folder, "init", "-q")
    for _ in range(2):
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return commit(tmp_path / "project")


def test_clones_of_all_kinds_are_fine(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "project", "clone")
    git(project, "worktree", "add", "-q", str(tmp_path / "worktree"))
    above = commit(tmp_path / "above")
    git(above, "submodule", "add", "-q", str(project), "submodule")
    shutil.copytree(project, above / "inside", ignore=shutil.ignore_patterns(".git"))
    git(above, "add", "-A")
    git(above, "commit", "-q", "-m", "both")
    for folder in (project, *(tmp_path / name for name in ("clone", "worktree", "above/submodule", "above/inside"))):
        assert check_checkout(folder) == [], folder


def test_a_download_is_refused(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / ".git")
    with pytest.raises(PipelineError, match=r"project is not a git clone.*`git init && git add -A && git commit"):
        check_checkout(project)


def test_a_repository_that_is_gone_is_refused(project: Path, tmp_path: Path) -> None:
    git(project, "worktree", "add", "-q", str(tmp_path / "worktree"))
    shutil.rmtree(project)
    with pytest.raises(PipelineError, match=r"git cannot read .*: fatal: not a git repository.*or clone again"):
        check_checkout(tmp_path / "worktree")


def test_notes_on_what_experiments_lack(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", "shallow")
    (line,) = check_checkout(tmp_path / "shallow")
    assert "This clone is shallow" in line
    assert "git fetch --unshallow" in line
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    assert check_checkout(tmp_path / "shallow") == []

    shutil.copytree(project, project / "inside", ignore=shutil.ignore_patterns(".git"))
    (line,) = check_checkout(project / "inside")  # not committed in the repository around it
    assert line.endswith("so `dvc exp` will not work. Make one: git init && git add -A && git commit -m start")
    git(project / "inside", "init", "-q")
    (line,) = check_checkout(project / "inside")
    assert line.endswith("Make one: git add -A && git commit -m start")

    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    (line,) = check_checkout(project)
    assert "git config --global --add safe.directory" in line
    monkeypatch.setenv("PATH", str(tmp_path))
    (line,) = check_checkout(project)
    assert line.startswith("git is not installed")


def test_an_experiment_in_a_copy_of_a_shallow_clone_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", "shallow")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    check_experiment()  # in the project itself DVC keeps it
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match=r"DVC loses experiments .* git fetch --unshallow"):
        check_experiment()
    monkeypatch.setenv("DVC_ROOT", str(project))
    check_experiment()
