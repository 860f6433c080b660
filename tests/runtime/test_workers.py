"""The same work here and on a real cluster, and what goes wrong there."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from pipeline.runtime import workers as parallel
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.workers import ADDRESS, run
from tests.cluster import cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two_workers() -> Iterator[LocalCluster]:
    with cluster() as started:
        yield started


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster in the environment."""
    monkeypatch.delenv(ADDRESS, raising=False)


def square(number: int) -> tuple[int, int]:
    time.sleep(0.01 * (number % 3))
    return number**2, os.getpid()


def fail(number: int) -> int:
    raise KeyError(number)


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


EXPECTED = [number**2 for number in range(30)]


@pytest.mark.parametrize("where", ["here", "two_workers"])
def test_results_in_order_and_as_they_come(where: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(where)
    ordered = list(run(((square, (number,), {}) for number in range(30)), 2, ordered=True))
    assert [value for value, _ in ordered] == EXPECTED
    assert os.getpid() not in {pid for _, pid in ordered}
    assert sorted(value for value, _ in run([(square, (number,), {}) for number in range(30)], 2)) == EXPECTED
    with pytest.raises(KeyError):
        list(run([(fail, (number,), {}) for number in range(3)], 2))


def test_task_that_kills_its_workers_fails(two_workers: LocalCluster) -> None:
    with pytest.raises(PipelineError, match=r"4 workers died of the same piece of work.*What is finished is kept"):
        list(run([(die, (0,), {}), (square, (1,), {})], 2))
    assert next(run([(square, (3,), {})], 2))[0] == 9  # the cluster is well again


def test_worker_with_another_disk(two_workers: LocalCluster, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"worker on .* does not see .*/gone, .* on a disk that all machines share"):
        list(run([(square, (1,), {})], 2, shared_paths=[tmp_path, tmp_path / "gone"]))


def test_worker_with_other_code(two_workers: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "code_mark", lambda: "of another checkout")
    with pytest.raises(PipelineError, match=r"has another version of the pipeline.* one environment and one checkout"):
        list(run([(square, (1,), {})], 2))


def test_no_scheduler_and_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_WAIT_SECONDS", 1)
    with cluster(n_workers=0) as empty:
        with pytest.raises(PipelineError, match=r"DASK_SCHEDULER_ADDRESS: no worker came in 1 s\. Start some\."):
            list(run([(square, (1,), {})], 2))
        address = empty.scheduler_address
    monkeypatch.setenv(ADDRESS, address)
    with pytest.raises(PipelineError, match=rf"DASK_SCHEDULER_ADDRESS: no scheduler answers at {address}"):
        list(run([(square, (1,), {})], 2))


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, "tcp://localhost:1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PipelineError, match=r"Dask is not installed.*pip install -e '\.\[cluster\]'"):
        list(run([(square, (1,), {})], 2))


def test_killed_local_worker(here: None) -> None:
    with pytest.raises(PipelineError, match=r"killed, most likely because memory ran out.*ATVGNET_JOBS, now 2"):
        list(run([(die, (0,), {}), (square, (1,), {})], 2))
