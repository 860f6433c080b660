"""Whose runs are marked KILLED: those of processes that are gone, not those of another container with this name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from pipeline import tracking
from pipeline.tracking import owner, runs
from tests.tracking.conftest import LIBRARY, all_runs

pytestmark = pytest.mark.slow

WAIT = """if True:
    import time
    from pipeline import tracking
    with tracking.stage("wait", {}):
        print("waits", flush=True)
        time.sleep(300)
"""
CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def can_unshare() -> bool:
    return subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def started(project: Path) -> Iterator[Any]:
    """Start a stage that waits, behind the words of a command; what is left of it in the end is killed."""
    processes = []

    def start(*before: str) -> subprocess.Popen[str]:
        command = [*before, sys.executable, "-c", WAIT]
        environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
        process = subprocess.Popen(
            command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == "waits\n"
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def statuses(project: Path) -> list[str]:
    """Of the runs of the stage that waits, parent and child."""
    uri = f"sqlite:///{project}/mlflow.db"
    found = all_runs(MlflowClient(uri, registry_uri=uri))
    return [run.info.status for run in found if run.info.run_name.startswith("wait")]


def another_stage() -> None:
    with tracking.stage("prepare", {}):
        pass


@pytest.mark.skipif(not can_unshare(), reason="this machine may make no namespace of processes, as a container has")
def test_a_container_of_the_same_name_is_left_alone(project: Path, started: Any) -> None:
    started(*CONTAINER)
    another_stage()
    assert statuses(project) == ["RUNNING"] * 2


def test_a_process_that_was_killed_here_is_marked(project: Path, started: Any) -> None:
    process = started()
    another_stage()
    assert statuses(project) == ["RUNNING"] * 2
    process.kill()
    process.wait()
    another_stage()
    assert statuses(project) == ["KILLED"] * 2


def test_what_cannot_be_seen_is_marked_when_it_has_long_been_silent(
    project: Path, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the machine was started again."""
    process = started()
    process.kill()
    process.wait()
    monkeypatch.setattr(owner, "visible_processes", lambda: "after the reboot")
    monkeypatch.setattr(runs, "visible_processes", lambda: "after the reboot")
    another_stage()
    assert statuses(project) == ["RUNNING"] * 2
    later = time.time() + runs.SILENT_SECONDS + 60
    monkeypatch.setattr(time, "time", lambda: later)
    another_stage()
    assert statuses(project) == ["KILLED"] * 2


def test_a_process_of_the_same_number_in_another_container_is_another() -> None:
    here = owner.Owner.of()
    assert here.same(owner.Owner.of())
    assert not here.same(owner.Owner(here.host, here.pid, here.started, "another container"))
    assert not here.same(owner.Owner(here.host, here.pid, here.started + 60, here.processes))
