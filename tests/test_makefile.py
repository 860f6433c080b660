"""What make does before it installs anything, and what it leaves when it cleans."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A download of the project without its history."""
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy2(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def pip_calls(folder: Path, *arguments: str) -> list[str]:
    """What pip would be called with."""
    lines = make(folder, "-n", f"PYTHON={sys.executable}", *arguments).stdout.splitlines()
    return [line.partition(" -m pip ")[2] for line in lines if " -m pip " in line]


def test_repro_asks_git_first(folder: Path) -> None:
    done = make(folder, "repro")
    assert done.returncode != 0
    assert "is not a git clone" in done.stderr
    assert "git init && git add -A && git commit -m start" in done.stderr
    assert not (folder / ".venv").exists()


def test_clean_leaves_what_the_pipeline_did_not_make(folder: Path) -> None:
    made = (
        *("models/atnet/model.json", "models/bundle.json", "data/clips/a", "reports/index.html", "mlflow.db"),
        *("reports/info.json", "reports/means.json", "docs/api/index.html", "stages/__pycache__/runner.pyc"),
    )
    kept = (
        "reports/metrics.json",
        "models/me/bundle.json",
        "reports/.gitignore",
        "models/.gitignore",
        "models/published/atnet/model.json",
        "data/.gitignore",
        "data/raw/mine.mp4",
        "out.mp4",
    )
    hidden = (".dvc/cache/files/md5/aa/bb", ".dvc/tmp/exps/queued")
    for name in (*made, *kept, *hidden, ".venv/bin/python"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "mine.dvc").touch()
    assert "left: DVC's cache and experiments." in make(folder, "clean").stdout
    assert all((folder / name).exists() for name in hidden)
    assert all((folder / name).exists() for name in kept)
    assert not any((folder / name).exists() for name in (*made, ".venv"))
    (folder / "mine.dvc").unlink()
    make(folder, "clean")
    assert not (folder / ".dvc/cache").exists()
    assert not (folder / ".dvc/tmp").exists()


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_clean_removes_experiments_with_the_cache(folder: Path, own: bool) -> None:
    """Finished and queued ones, by real DVC, which takes seconds. With data of the user's own both stay."""
    who = {f"GIT_{role}_{what}": "a@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(*command: str) -> str:
        environment = {**os.environ, **who, "PATH": path}
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    (folder / "params.yaml").write_text("lr: 1\n")
    stage = "stages: {a: {cmd: cp params.yaml out, params: [lr], outs: [out]}}\n"
    (folder / "dvc.yaml").write_text(stage)
    for command in ("git init -q", "dvc init -q", "git add -A", "git commit -qm start"):
        run(*command.split())
    if own:
        (folder / "mine.txt").write_text("data")
        run("dvc", "add", "-q", "mine.txt")
    run("dvc", "exp", "run", "-q", "-n", "done", "-S", "lr=2")
    run("dvc", "exp", "run", "-q", "--queue", "-n", "waiting", "-S", "lr=3")
    before = run("git", "for-each-ref", "refs/exps")
    assert "/done" in before
    assert "refs/exps/celery/stash" in before
    make(folder, "clean")
    assert run("git", "for-each-ref", "refs/exps") == (before if own else "")
    assert {(folder / name).exists() for name in (".dvc/cache", ".dvc/tmp/exps")} == {own}
    if own:
        run("git", "restore", "params.yaml")
        run("dvc", "exp", "apply", "done")
        assert (folder / "out").read_text() == "lr: 2\n"


def test_clean_in_a_worktree_keeps_the_experiments_of_the_others(folder: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
        return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    git("add", "Makefile")
    git("commit", "-qm", "start")
    git("update-ref", "refs/exps/ab/cd/mine", "HEAD")
    git("worktree", "add", "-q", "other")
    assert "left: experiments" in make(folder / "other", "clean").stdout
    assert "mine" in git("for-each-ref", "refs/exps")
    make(folder, "clean")
    assert not git("for-each-ref", "refs/exps")


def test_env_leaves_out_what_only_developers_need(folder: Path) -> None:
    (installed,) = pip_calls(folder, "env")
    assert installed == "install --no-compile --constraint constraints.txt --editable '.[pipeline,app,onnx]'"
    for target in ("lint", "docs", "bench", "test"):
        first, tools = pip_calls(folder, target)
        assert first == installed
        assert tools == "install --no-compile --constraint constraints.txt --editable '.[dev]'"


def test_bench_runs_the_scripts_that_need_no_arguments() -> None:
    """The others have a required option, a positional argument or subcommands."""
    listed = re.search(
        r"^WITH_ARGUMENTS := \$\(addprefix benchmarks/,(.*?)\)$", (ROOT / "Makefile").read_text(), re.M | re.S
    )
    assert listed
    required = re.compile(r'required=True|add_argument\("\w')
    scripts = {path.name for path in ROOT.glob("benchmarks/*.py") if required.search(path.read_text())}
    assert set(re.findall(r"\w+\.py", listed[1])) == scripts


def test_make_says_how_large_the_environment_is_and_where_the_docs_are(folder: Path) -> None:
    said = make(folder, "-n", f"PYTHON={sys.executable}", "env", "docs").stdout
    assert said.index("GB with a CPU build of torch") < said.index(" -m pip ")
    assert said.index(" -m pip ") < said.index("source .venv/bin/activate")
    assert "docs/api/index.html" in said


def test_env_takes_another_build_of_torch(folder: Path) -> None:
    """First, and of the pinned version, so that the packages after it find it there."""
    (pinned,) = (line for line in (folder / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    for target, build in (("env", "cpu"), ("env", "cu126"), ("repro", "cpu")):
        torch, packages = pip_calls(folder, target, f"TORCH={build}")
        index = f"--index-url https://download.pytorch.org/whl/{build}"
        assert torch == f"install --no-compile --no-deps {pinned} {index}"
        assert packages.startswith("install --no-compile --constraint constraints.txt")


def test_what_the_commands_make_stays_out_of_git() -> None:
    """Also a face model, where the README puts one; not what the project ships."""
    made = (
        "models/me/bundle.json",
        "models/published/atnet/model.json",
        "scored/clips.csv",
        "served/MLmodel",
        "me.mp4",
    )
    kept = ("models/pretrained/new.json", "models/.gitignore", "docs/speech.wav", "docs/pictures/face.jpg")
    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", *made, *kept], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert asked.stdout.split() == list(made)
