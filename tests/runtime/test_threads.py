"""How many threads do the arithmetic, and how they wait for each other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipeline.runtime.devices import training_threads

PROJECT = Path(__file__).parents[2]
ENTRIES = ["pipeline.inference.talking_head", "pipeline.training.__main__", "stages.train_vgnet", "stages.evaluate"]


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS")
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def waiting(entry: str, **given: str) -> str:
    """What torch's threading library says of itself, loaded by `entry`."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", f"import {entry}, torch; torch.rand(9).sum()"],
        cwd=PROJECT,
        env={**environment, **given, "OMP_DISPLAY_ENV": "true"},
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.skipif(sys.platform != "linux", reason="torch brings libgomp on Linux alone")
def test_waiting_threads_do_not_occupy_cores(entry: str) -> None:
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in waiting(entry)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="torch brings libgomp on Linux alone")
def test_omp_wait_policy_of_the_user_stays() -> None:
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in waiting(ENTRIES[0], OMP_WAIT_POLICY="ACTIVE")


@pytest.mark.usefixtures("two_threads")
def test_slim_networks_train_in_one_thread_and_wide_ones_in_all() -> None:
    with training_threads(32):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    with training_threads(40):
        assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_omp_num_threads_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with training_threads(16):
        assert torch.get_num_threads() == 2
