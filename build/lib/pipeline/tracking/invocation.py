"""Which run of the pipeline a stage belongs to: one `dvc repro`, one experiment, or a stage started by hand."""

import os
import socket
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

SAME_START = 5.0
"""Seconds by which two readings of one process's start may differ (the kernel derives it from an adjustable clock)."""


@dataclass(frozen=True)
class Owner:
    """A process of this machine that a run belongs to."""

    host: str
    pid: int
    started: float
    """Seconds since the epoch; tells a process from a later one with the same number."""

    @classmethod
    def of(cls, process: psutil.Process) -> "Owner":
        """The owner that `process` is."""
        return cls(socket.gethostname(), process.pid, process.create_time())

    def same(self, other: "Owner") -> bool:
        """Whether both name the same process."""
        started_together = abs(self.started - other.started) < SAME_START
        return (self.host, self.pid) == (other.host, other.pid) and started_together

    def alive(self) -> bool:
        """Whether the process still runs; asked only of owners of this host."""
        try:
            return self.same(Owner.of(psutil.Process(self.pid)))
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True)
class Invocation:
    """One run of the pipeline. All of its stages compute the same one, each in its own process."""

    owner: Owner
    """The `dvc` process that starts the stages, or the stage itself when no `dvc` did."""
    stage: str | None
    """DVC's name of the stage that this process is; None when started by hand."""
    experiment: str | None
    """Name of the DVC experiment, if this is one."""
    baseline: str | None
    """The commit the experiment starts from."""

    @classmethod
    def current(cls) -> "Invocation":
        """Find it from this process's ancestors and DVC's environment variables.

        The nearest `dvc` counts: a queue's worker starts one `dvc exp exec-run` an experiment.
        """
        process = psutil.Process()
        stage = os.environ.get("DVC_STAGE")
        dvc = next((ancestor for ancestor in process.parents() if is_dvc(ancestor)), None) if stage else None
        return cls(
            owner=Owner.of(dvc or process),
            stage=stage if dvc else None,
            experiment=os.environ.get("DVC_EXP_NAME") or None,
            baseline=os.environ.get("DVC_EXP_BASELINE_REV") or None,
        )

    @property
    def key(self) -> str:
        """Equal for the stages of one invocation; `Owner.same` then rules out a reused process number."""
        return f"{self.owner.host}:{self.owner.pid}:{self.experiment or ''}"

    def name(self, stage: str) -> str:
        """What the parent run is called."""
        return self.experiment or f"{'repro' if self.stage else stage} {self.commit[:7]}".strip()

    @cached_property
    def commit(self) -> str:
        """The git commit of the working tree, or empty outside git."""
        return _git("rev-parse", "HEAD")

    @cached_property
    def dirty(self) -> bool:
        """Whether tracked files differ from the commit. `dvc.lock` is left out: the pipeline itself writes it."""
        changed = _git("status", "--porcelain", "--untracked-files=no").splitlines()
        return any(not line.endswith("dvc.lock") for line in changed)


def is_dvc(process: psutil.Process) -> bool:
    """Whether `process` is DVC's command line: `dvc ...`, `python .../dvc ...` or `python -m dvc ...`."""
    try:
        words = process.cmdline()[:3]
    except psutil.Error:
        return False
    return any(Path(word).name in ("dvc", "dvc.exe") for word in words)


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.rstrip("\n") if answer.returncode == 0 else ""
