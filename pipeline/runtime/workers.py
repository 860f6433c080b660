"""Work on the cores of this machine, or on a Dask cluster: the one place that knows which.

``DASK_SCHEDULER_ADDRESS``, Dask's own variable, names the scheduler of a cluster, such as ``tcp://head:8786``; without
it the work is done here. Both go through joblib, and neither changes a byte of what is made. docs/scale.md tells how to
set up a cluster.
"""

import hashlib
import importlib.metadata
import os
import platform
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.runtime.errors import PipelineError

ADDRESS = "DASK_SCHEDULER_ADDRESS"
Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""What ``joblib.delayed(function)(...)`` gives."""

_PATIENCE = 60  # s to wait for the scheduler, and for a first worker
_PACKAGES = ("av", "dlib-bin", "librosa", "numba", "numpy", "opencv-python-headless", "pyarrow", "scipy")
"""They make the bytes."""


def run(
    tasks: Iterable[Task], jobs: int, *, ordered: bool = False, shared_paths: Sequence[Path] = ()
) -> Generator[Any, None, None]:
    """The results of ``tasks`` as they come, or ``ordered`` as the tasks are.

    They run in ``jobs`` processes, or on all workers of the cluster. Tasks are drawn from the iterable a few at a time,
    so neither they nor their results pile up. When a worker of a cluster dies, the others do again what it had open.
    Paths in tasks must be absolute; ``sees`` are some by which a worker knows that it is on the same disk.
    Raises what a task raises, and PipelineError when a worker is killed here, or when the cluster cannot be reached,
    has no worker, loses its scheduler, or has another disk, code or package than this process.
    """
    address = os.environ.get(ADDRESS)
    return_as = "generator" if ordered else "generator_unordered"
    return _on_cluster(address, tasks, return_as, shared_paths) if address else _here(jobs, tasks, return_as)


def _here(jobs: int, tasks: Iterable[Task], return_as: str) -> Generator[Any, None, None]:
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # said of work that is given up, as on a signal
    warnings.filterwarnings("ignore", r"\d+ tasks (which were still|have been)", module="joblib")
    try:
        yield from joblib.Parallel(n_jobs=jobs, return_as=return_as)(tasks)
    except BrokenProcessPool as error:
        raise PipelineError(
            "A worker process was killed, most likely because memory ran out. What is finished is kept: run again, "
            f"with fewer workers (ATVGNET_JOBS, now {jobs}) or more memory."
        ) from error


def _on_cluster(
    address: str, tasks: Iterable[Task], return_as: str, shared_paths: Sequence[Path]
) -> Generator[Any, None, None]:
    try:
        import distributed
    except ImportError as error:
        raise PipelineError(
            f"{ADDRESS} is set, but Dask is not installed. Install it with `pip install -e '.[cluster]'`, or unset the "
            "variable to work on this machine."
        ) from error
    import joblib

    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PipelineError(f"{ADDRESS}: no scheduler answers at {address} ({error}). Start it there.") from error
    with client:
        with joblib.parallel_config(_backend(), client=client, wait_for_workers_timeout=_PATIENCE):
            parallel = joblib.Parallel(return_as=return_as)
        start = _Start(code_mark(), tuple(shared_paths))
        try:
            yield from parallel(joblib.delayed(_checked)(start, task) for task in tasks)
        except distributed.KilledWorker as error:
            raise PipelineError(
                f"{error.allowed_failures + 1} workers died of the same piece of work, most likely because memory ran "
                "out; their logs tell. What is finished is kept: run again, with fewer workers on a machine or more "
                "memory."
            ) from error
        except distributed.CancelledError as error:
            raise PipelineError(
                f"The scheduler at {address} is gone. What is finished is kept: start it, and run again."
            ) from error


def _backend() -> str:
    """joblib's backend for Dask, registered under the name returned.

    joblib 1.6 does the work itself where the cluster has a single core, and waits for ever for a task that Dask gave
    up, because such a task's callback is never called.
    """
    import joblib
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, n_jobs: int) -> int:
            try:
                return max(2, int(super().effective_n_jobs(n_jobs)))
            except TimeoutError as error:
                raise PipelineError(f"{ADDRESS}: no worker came in {_PATIENCE} s. Start some.") from error

        def submit(self, func: Any, callback: Callable[[Any], None]) -> Any:
            future = super().submit(func, callback)
            future.add_done_callback(lambda done: callback(done.exception()) if done.exception() else None)
            return future

    joblib.register_parallel_backend("atvgnet-dask", Backend)
    return "atvgnet-dask"


class _Start(NamedTuple):
    """The process that sends out the work."""

    code: str
    shared_paths: tuple[Path, ...]


def _checked(start: _Start, task: Task) -> Any:
    """Run a task on a worker that would make the same bytes, in the same place, as the process that sent it."""
    here = f"The worker on {platform.node()}"
    if code_mark() != start.code:
        raise PipelineError(
            f"{here} has another version of the pipeline, or of a package it uses, than the process that started the "
            "work. Start all of them from one environment and one checkout."
        )
    for path in start.shared_paths:
        if not path.exists():
            raise PipelineError(
                f"{here} does not see {path}, which is there for the process that started the work. The folders of the "
                "project and of the corpus must be on a disk that all machines share, under the same path."
            )
    function, args, kwargs = task
    return function(*args, **kwargs)


@cache
def code_mark() -> str:
    """A hash of this library's code and of the versions of the packages whose work ends in the bytes it writes."""
    here = Path(__file__).parents[1]
    digest = hashlib.sha256(repr([importlib.metadata.version(name) for name in _PACKAGES]).encode())
    for path in sorted(here.rglob("*.py")):
        digest.update(f"{path.relative_to(here)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
