"""The store of the runs: MLFLOW_TRACKING_URI, or `mlflow.db` in the project folder, with artifacts in `mlartifacts/`.

A DVC experiment in a temporary copy of the project uses the store of the real project. If a server does not answer, the
stage warns, continues, and writes to the local store.
"""

import contextlib
import fcntl
import functools
import logging
import os
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pipeline.runtime.paths import project_root
from pipeline.tracking.moved import ARTIFACTS, SQLITE, follow
from pipeline.tracking.reachability import trouble, unfit, unreachable

EXPERIMENT = "atvgnet"  # MLflow's experiment of all runs, unless MLFLOW_EXPERIMENT_NAME names another
LOCKED_SECONDS = 60  # longest wait for a database that another process has locked
SLOW_SECONDS = 5  # a longer wait for the store is reported to the user

# With MLflow's own defaults (7 retries of 120 s) a server that hangs would delay the end of a stage by a quarter of an
# hour. Values that the user has set stay.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

Result = TypeVar("Result")


def warn(message: str) -> None:
    """Print a warning to the error stream."""
    print(f"tracking: {message}", file=sys.stderr, flush=True)


def warning_if_slow(message: str) -> contextlib.AbstractContextManager[None]:
    """Print ``message`` once if the block takes longer than SLOW_SECONDS."""
    return _if_slow(functools.partial(warn, message))


@contextlib.contextmanager
def _if_slow(action: Callable[[], object]) -> Iterator[None]:
    """Call ``action`` in another thread if the block takes longer than SLOW_SECONDS."""
    timer = threading.Timer(SLOW_SECONDS, action)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Store(NamedTuple):
    """An MLflow store that has answered."""

    client: Any  # an `mlflow.MlflowClient` that retries while another process has locked the database
    experiment_id: str
    uri: str
    local: bool  # whether it is the project's own database


def _local_file() -> Path:
    return project_root() / "mlflow.db"


def local_uri() -> str:
    """The project's own database, also from DVC's temporary copy of the project."""
    return f"{SQLITE}{_local_file()}"


def experiment_name() -> str:
    """Name of MLflow's experiment of the project's runs."""
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT


def named_uri() -> str:
    """The store of this project: MLFLOW_TRACKING_URI, or its own database."""
    return _anchored(os.environ.get("MLFLOW_TRACKING_URI") or local_uri())


def registry_uri(uri: str) -> str:
    """Where models are registered: in the store at `uri`, unless MLFLOW_REGISTRY_URI names another store."""
    named = os.environ.get("MLFLOW_REGISTRY_URI") or uri
    return uri if unfit(named) else _anchored(named)


def _anchored(uri: str) -> str:
    """Make a relative SQLite path absolute, in the real project."""
    return f"{SQLITE}{project_root() / uri.removeprefix(SQLITE)}" if uri.startswith(SQLITE) else uri


def open_store(start: Callable[[Store], Result]) -> Result | None:
    """The result of `start` in the project's store; in the local store if that one cannot be used; None if neither can.

    Prints a warning in both cases, and raises no error of a store.
    """
    if why := unfit(named := os.environ.get("MLFLOW_REGISTRY_URI") or SQLITE):
        warn(f"MLFLOW_REGISTRY_URI={named} {why}. Models are registered where the runs are tracked.")
    uri = named_uri()
    if uri == local_uri():
        return open_local(start)
    if why := unfit(uri):
        warn(f"MLFLOW_TRACKING_URI={uri} {why}. The run goes on and is tracked in {_local_file()}.")
    elif problem := unreachable(uri):
        warn_of_fallback(uri, problem)
    else:
        try:
            with warning_if_slow(f"waiting for MLFLOW_TRACKING_URI={uri}, which answers slowly."):
                return start(_open(uri))
        except store_errors() as error:
            warn(
                f"MLFLOW_TRACKING_URI={uri} cannot be used: {trouble(error)}. Correct the variable; the run goes on "
                f"and is tracked in {_local_file()}."
            )
    return open_local(start)


def open_local(start: Callable[[Store], Result]) -> Result | None:
    """The result of `start` in the project's own database; None, after a warning, if it cannot be used."""
    try:
        return start(_open(local_uri()))
    except store_errors() as error:
        warn(f"{local_uri()} cannot be used ({trouble(error)}). This run goes on and is not tracked.")
        return None


def warn_of_fallback(uri: str, problem: str) -> None:
    """Warn that the run is written to the local store instead of the server at `uri`."""
    warn(
        f"the server of MLFLOW_TRACKING_URI={uri} does not answer ({problem}). The run goes on and is tracked in "
        f"{_local_file()} (see it with `mlflow ui`). Start the server or correct the variable; "
        "what is in the local store can be copied to a server with the mlflow-export-import package."
    )


def store_errors() -> tuple[type[Exception], ...]:
    """Errors of a store, including a missing driver. Other errors are faults of this program."""
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    return MlflowException, requests.RequestException, sqlalchemy.exc.SQLAlchemyError, OSError, ImportError


def retry_locked(action: Callable[[], Result]) -> Result:
    """Repeat `action` while another process has locked the database, beyond what SQLite itself waits."""
    begun, pause = time.monotonic(), 0.05
    while True:
        try:
            with _if_slow(_warn_if_locked):
                return action()
        except store_errors() as error:
            waited = time.monotonic() - begun
            if "database is locked" not in str(error) or waited > LOCKED_SECONDS:
                raise
            if waited > SLOW_SECONDS / 2:  # SQLite's own waiting is as long as SLOW_SECONDS
                _warn_of_lock()
        time.sleep(pause)
        pause = min(2 * pause, 1.0)


def _warn_if_locked() -> None:
    """Warn of a lock of the local database. MLflow's connections wait 20 s before they report one."""
    try:
        uri = f"{_local_file().as_uri()}?mode=rw"  # does not create a file
        with contextlib.closing(sqlite3.connect(uri, timeout=0, uri=True)) as database:
            database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            _warn_of_lock()


@functools.cache  # once in a process
def _warn_of_lock() -> None:
    warn(
        f"the database of the runs is locked by another process; waiting up to {LOCKED_SECONDS} s. "
        f"End that process: `fuser -v {_local_file()}` names it."
    )


class _RetryingClient:
    """Repeats every call of a client while the database is locked."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **named: retry_locked(lambda: getattr(self._client, name)(*args, **named))


def connect(uri: str) -> Any:
    """An `mlflow.MlflowClient` of the store at `uri`, which retries while the database is locked.

    If the project was moved, the paths in its database are corrected first, with a message.
    """
    _configure()
    from mlflow import MlflowClient

    for database in {uri, registry_uri(uri)}:
        for place in retry_locked(functools.partial(follow, database, project_root())):
            warn(
                f"this project was in {place} when its runs were written to {database}. Their files, and those of new "
                f"runs, are in {project_root() / ARTIFACTS} from now on."
            )
    return _RetryingClient(MlflowClient(uri, registry_uri=registry_uri(uri)))


def _open(uri: str) -> Store:
    _configure()
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.store.db.db_types import DATABASE_ENGINES

    is_database = uri.split(":")[0].split("+")[0] in DATABASE_ENGINES
    # A server decides where artifacts go. For a database MLflow would put them in the working directory, which may be a
    # temporary copy.
    artifacts = project_root() / ARTIFACTS
    with contextlib.ExitStack() as stack:
        if is_database:  # one process at a time, because each one that finds no tables would create them
            artifacts.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((artifacts / ".lock").open("w"))
            with warning_if_slow(f"waiting for another process of the project to open the store ({lock.name})."):
                fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        client = connect(uri)
        mlflow.set_tracking_uri(uri)  # logging of models uses process-wide settings
        mlflow.set_registry_uri(registry_uri(uri))
        name = experiment_name()
        if client.get_experiment_by_name(name) is None:
            with contextlib.suppress(MlflowException):  # another machine may have created it meanwhile
                client.create_experiment(name, (artifacts / name).as_uri() if is_database else None)
        found = client.get_experiment_by_name(name)
        if found is None:
            raise MlflowException(f"the experiment {name} cannot be created")
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        # Models belong to the process-wide experiment, independently of their run.
        retry_locked(lambda: mlflow.set_experiment(experiment_id=found.experiment_id))
    return Store(client, str(found.experiment_id), uri, local=uri == local_uri())


def _configure() -> None:
    """Import MLflow with the settings above, and silence its messages (migrations, tracebacks of handled errors)."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401  (it sets the level of its logger)

    warnings.filterwarnings("ignore", message=".*An input example was not provided")
    levels = {"alembic": "WARNING", "mlflow": "ERROR", "mlflow.store.db.utils": "CRITICAL", "urllib3": "ERROR"}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
