"""A copy of the project in a folder of its own, small enough to run in a minute, with real DVC and MLflow."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.tracking.moved import follow
from tests.commands import is_forkable, run_forked

ROOT = Path(__file__).parents[2]

STAGES = ["sample", "portraits", "extract", "landmarks", "pca", "mfcc", "train_atnet", "train_vgnet", "evaluate"]

SMALL: dict[str, dict[str, object]] = {
    "corpora": {"sample": {"speakers": 2, "sentences": 4}},
    "extract": {"shard_clips": 3},
    "landmarks": {"shard_clips": 3},
    "mfcc": {"shard_clips": 3},
    "atnet": {"width": 8, "steps": 6, "batch": 4, "validate_every": 3},
    "vgnet": {"width": 8, "steps": 4, "batch": 2, "frames": 8, "validate_every": 2},
    "evaluate": {"videos": 1},
}

SHORT = {"FRAMES = 75": "FRAMES = 40", "_LONGEST_SPEECH = 2.5": "_LONGEST_SPEECH = 1.15"}
"""Constants of the embedded corpus: its clips last 1.6 s instead of 3 s."""


@dataclass(frozen=True)
class Project:
    """A checkout of the project that tests may run and change."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """As in an activated environment, with nothing of the surrounding run.

        One worker and one thread per process, which change no byte: tests and experiments that run side by side would
        otherwise fight over the cores.
        """
        surrounding = ("DVC_", "MLFLOW_", "GIT_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(surrounding)}
        who = {f"GIT_{role}_{what}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**kept, **who, "PATH": path, "ATVGNET_JOBS": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "200"}

    def run(self, *command: str, good: bool = True, **variables: str) -> str:
        """Run a command in the project; what it printed. Fails the test when it ends otherwise than ``good`` says.

        DVC, its stages, ``atvgnet`` and Python run in forks; behind ``env`` they are programs.
        """
        environment = {**self.environment, **variables}
        if is_forkable(command):
            done = run_forked(command, self.folder, environment)
        else:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        assert (done.returncode == 0) == good, done.stdout
        return done.stdout

    def stages_run_by(self, *command: str, **variables: str) -> list[str]:
        """The stages that a DVC command ran."""
        return re.findall(r"Running stage '(\w+)'", self.run(*command, good=True, **variables))

    def change(self, changes: dict[str, object]) -> None:
        """Set dotted keys of params.yaml."""
        path = self.folder / "params.yaml"
        tree = yaml.safe_load(path.read_text())
        for dotted, value in changes.items():
            *sections, key = dotted.split(".")
            place = tree
            for section in sections:
                place = place[section]
            place[key] = value
        path.write_text(yaml.safe_dump(tree, sort_keys=False))

    def lock(self) -> dict[str, Any]:
        """dvc.lock."""
        tree: dict[str, Any] = yaml.safe_load((self.folder / "dvc.lock").read_text())
        return tree


def copy_project(folder: Path) -> Project:
    """The project's files as git knows them, with their uncommitted changes, as a repository of their own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = ROOT / name
        if source.exists() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name, follow_symlinks=False)
    project = Project(folder)
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    for section, keys in SMALL.items():
        for key, value in keys.items():
            tree[section][key] = {**tree[section][key], **value} if isinstance(value, dict) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    speech = folder / "pipeline/synthetic/speech.py"
    code = speech.read_text()
    for line, shorter in SHORT.items():
        assert line in code
        code = code.replace(line, shorter)
    speech.write_text(code)
    project.run("git", "init", "-q")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "start")
    return project


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small project after one `dvc repro`, committed. Tests leave it as they find it.

    Of the processes of pytest-xdist the first makes it and the others wait; each works on a copy of its own.
    """
    own, base = tmp_path_factory.mktemp("project") / "own", tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "reproduced"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        if not made.exists():
            project = copy_project(tmp_path_factory.mktemp("making"))
            project.run("dvc", "repro")
            project.run("git", "add", "-A")
            project.run("git", "commit", "-q", "-m", "reproduced")
            project.folder.rename(made)
    shutil.copytree(made, own, symlinks=True)
    follow(f"sqlite:///{own}/mlflow.db", own)
    return Project(own)


@pytest.fixture
def changing(reproduced: Project) -> Iterator[Project]:
    """The same for tests that change it; afterwards it is as before, also what neither git nor DVC has of it."""
    provenance = reproduced.folder / "models/provenance.json"
    before = provenance.read_bytes()
    yield reproduced
    reproduced.run("git", "checkout", "-q", ".")
    reproduced.run("dvc", "checkout", "-q")
    provenance.write_bytes(before)
