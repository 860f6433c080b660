"""Run work on the cores of this machine, or on a Dask cluster; callers do not know which.

Dask's own variable ``DASK_SCHEDULER_ADDRESS`` names the scheduler of a cluster, such as ``tcp://head:8786``; without it
the work runs here. The result is the same to the byte. docs/scale.md explains how to set up a cluster.
"""

import hashlib
import importlib.metadata
import os
import platform
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.runtime.errors import PipelineError

if TYPE_CHECKING:
    from distributed import Client, Future

ADDRESS = "DASK_SCHEDULER_ADDRESS"
Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""The result of ``joblib.delayed(function)(...)``."""

_KEPT = "What is finished is kept:"
_WAIT_SECONDS = 60  # for the scheduler, and for a first worker
_HASHED = ("av", "dlib-bin", "librosa", "numba", "numpy", "opencv-python-headless", "pocketsphinx", "pyarrow", "scipy")
"""Packages whose version may change the bytes of a result."""


def run(
    tasks: Iterable[Task], jobs: int, *, ordered: bool = False, shared_paths: Sequence[Path] = ()
) -> Generator[Any, None, None]:
    """Run tasks in parallel. They are drawn a few at a time, so neither tasks nor results pile up.

    Args:
        tasks: Their paths must be absolute. Tasks of a worker of a cluster that dies are repeated on others.
        jobs: Worker processes on this machine; ignored on a cluster.
        ordered: Yield results in the order of the tasks, not as they are ready.
        shared_paths: Paths that must exist on every worker of a cluster, which proves that it has the same disk.

    Raises:
        PipelineError: A worker on this machine was killed; or the cluster cannot be reached, has no worker, loses its
            scheduler, or has another disk, code or package than this process. Errors of tasks pass through.
    """
    address = os.environ.get(ADDRESS)
    return _on_cluster(address, tasks, ordered, shared_paths) if address else _here(jobs, tasks, ordered)


def _here(jobs: int, tasks: Iterable[Task], ordered: bool) -> Generator[Any, None, None]:
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # joblib warns of work that is given up, as on a signal
    warnings.filterwarnings("ignore", r"\d+ tasks (which were still|have been)", module="joblib")
    try:
        yield from joblib.Parallel(n_jobs=jobs, return_as="generator" if ordered else "generator_unordered")(tasks)
    except BrokenProcessPool as error:
        advice = f"{_KEPT} run again, with fewer workers (ATVGNET_JOBS, now {jobs}) or more memory."
        raise PipelineError("A worker process was killed, most likely because memory ran out", advice=advice) from error


def _on_cluster(
    address: str, tasks: Iterable[Task], ordered: bool, shared_paths: Sequence[Path]
) -> Generator[Any, None, None]:
    try:
        import distributed
    except ImportError as error:
        advice = "Install it with `pip install -e '.[cluster]'`, or unset the variable to work on this machine."
        raise PipelineError(f"{ADDRESS} is set, but Dask is not installed", advice=advice) from error
    try:
        client = distributed.Client(address, timeout=_WAIT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PipelineError(f"{ADDRESS}: no scheduler answers at {address} ({error}). Start it there.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        except TimeoutError as error:
            raise PipelineError(f"{ADDRESS}: no worker came in {_WAIT_SECONDS} s. Start some.") from error
        try:
            yield from _results(client, tasks, ordered, partial(_checked, code_mark(), tuple(shared_paths)))
        except distributed.KilledWorker as error:
            died = f"{error.allowed_failures + 1} workers died of the same piece of work"
            advice = f"{_KEPT} run again, with fewer workers on a machine or more memory."
            fault = f"{died}, most likely because memory ran out; their logs tell"
            raise PipelineError(fault, advice=advice) from error
        except distributed.CancelledError as error:
            raise PipelineError(f"The scheduler at {address} is gone. {_KEPT} start it, and run again.") from error


def _results(client: "Client", tasks: Iterable[Task], ordered: bool, call: Callable[[Task], Any]) -> Iterator[Any]:
    """Keep two tasks per core submitted, one running and one waiting."""
    import distributed

    submitted: Iterator[Future[Any]] = map(partial(client.submit, call, pure=False), tasks)
    first = islice(submitted, 2 * sum(client.nthreads().values()))
    if ordered:
        queue = deque(first)
        while queue:
            result = queue.popleft().result()
            queue.extend(islice(submitted, 1))
            yield result
    else:
        done = distributed.as_completed(first, loop=client.loop)
        for future in done:
            done.update(list(islice(submitted, 1)))
            yield future.result()


def _checked(code: str, shared_paths: tuple[Path, ...], task: Task) -> Any:
    """Run a task on a worker, if the worker has the same code, packages and disk as the process that submits it."""
    here = f"The worker on {platform.node()}"
    if code_mark() != code:
        raise PipelineError(
            f"{here} has another version of the pipeline, or of a package it uses, than the process that started the "
            "work. Start all of them from one environment and one checkout."
        )
    for path in shared_paths:
        if not path.exists():
            raise PipelineError(
                f"{here} does not see {path}, which is there for the process that started the work. The folders of the "
                "project and of the corpus must be on a disk that all machines share, under the same path."
            )
    function, args, kwargs = task
    return function(*args, **kwargs)


@cache
def code_mark() -> str:
    """A hash of this library's code and of the versions of `_HASHED`."""
    here = Path(__file__).parents[1]
    digest = hashlib.sha256(repr([_version(name) for name in _HASHED]).encode())
    for path in sorted(here.rglob("*.py")):
        digest.update(f"{path.relative_to(here)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _version(package: str) -> str:
    """The installed version; empty for a package of an extra that is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
