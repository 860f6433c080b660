"""Every stage, killed with SIGKILL at a random moment, continues and ends with the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster import finished
from tests.prepare.preprocess import STAGES, link_grid, outs, preprocess

pytestmark = pytest.mark.slow


def test_killed_in_every_stage(corpora: Path, tmp_path: Path) -> None:
    link_grid(corpora, tmp_path / "grid", 6)
    moments = random.Random(os.environ.get("PYTEST_SEED", "0"))
    finished_before: dict[Path, int] = {}
    for stage in STAGES:
        process = start(tmp_path)
        wait_for(process, stage)
        time.sleep(moments.uniform(0, 2))
        os.killpg(process.pid, signal.SIGKILL)  # with the workers
        process.wait()
        assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in finished_before.items())  # none made again
        finished_before |= {path: path.stat().st_mtime_ns for path in all_finished(tmp_path / "out")}
    process = start(tmp_path)
    wait_for(process, "done")
    assert process.wait() == 0
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in finished_before.items())
    preprocess("grid", tmp_path / "grid", tmp_path / "reference", jobs=1)
    assert outs(tmp_path / "out") == outs(tmp_path / "reference")


def start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.prepare.preprocess", "grid", str(folder / "grid"), str(folder / "out"), "2"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout
    for printed in process.stdout:
        if printed.strip() == line:
            return
    raise AssertionError(f"{line} does not come")


def all_finished(out: Path) -> list[Path]:
    return [path for name in STAGES.values() if (out / name).exists() for path in finished(out / name)]
