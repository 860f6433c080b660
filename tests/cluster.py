"""A real Dask cluster on this machine: a scheduler and two worker processes of one thread each."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from pipeline.runtime.workers import ADDRESS


@contextmanager
def cluster(**options: Any) -> Iterator[LocalCluster]:
    """Started, and named in the environment."""
    size: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    quiet = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with LocalCluster(**{**size, **quiet, **options}) as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv(ADDRESS, started.scheduler_address)
        yield started


def pids(started: LocalCluster) -> list[int]:
    """Of the workers themselves, not of the nannies that start them again."""
    return [nanny.pid for nanny in started.workers.values()]


def kill_when(ready: Callable[[], bool], pid: int) -> threading.Thread:
    """Send a process SIGKILL as soon as ``ready``; the thread that does."""

    def wait() -> None:
        while not ready():
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def finished(folder: Path) -> list[Path]:
    """The shards that are whole."""
    return sorted(folder.glob("shard-*.parquet"))
