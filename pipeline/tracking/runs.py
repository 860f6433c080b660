"""Parent and child runs: a parent for each run of the pipeline, a child for each stage that ran in it.

A stage finds its parent by a tag that names the `dvc` process. The parent is RUNNING while a stage runs and FINISHED
between stages; a failed stage makes it FAILED for good.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.runtime.checkout import git
from pipeline.tracking.owner import Owner, visible_processes
from pipeline.tracking.store import Store
from pipeline.tracking.system import SIGN

INVOCATION, PROCESSES = "pipeline.invocation", "pipeline.processes"
HOST, PID, STARTED = "pipeline.host", "pipeline.pid", "pipeline.started"
STAGE, KEY, ERROR = "dvc.stage", "dvc.key", "error"
COMMIT, EXPERIMENT = "git.commit", "dvc.exp.name"
PARENT = "mlflow.parentRunId"
CORPUS = "corpus"  # the param that names the corpus
MOST_PARAMS = 100
MOST_METRICS = 1000  # MLflow's limits for one request
SILENT_SECONDS = 600  # an invisible process has ended after so long without a system metric; there is one every 10 s


@dataclass(frozen=True)
class Invocation:
    """A `dvc repro`, an experiment, or a stage started by hand; equal in the processes of all its stages."""

    owner: Owner  # the `dvc` process that starts the stages, or the stage itself if it was started by hand
    stage: str | None  # DVC's name of the stage in this process; None if started by hand
    experiment: str | None  # name of the DVC experiment, or None

    @classmethod
    def current(cls) -> "Invocation":
        """From DVC's environment variables and the nearest `dvc` that started this process, also that of a queue."""
        import psutil

        # ../dvc.yaml:NAME if DVC was called in a subfolder
        stage = os.environ.get("DVC_STAGE", "").rpartition(":")[2] or None
        ancestors = psutil.Process().parents() if stage else []
        dvc = next((ancestor for ancestor in ancestors if is_dvc(ancestor)), None)
        owner = Owner.of(dvc.pid if dvc else None)
        return cls(owner, stage if dvc else None, os.environ.get("DVC_EXP_NAME") or None)

    @property
    def key(self) -> str:
        """Equal for the stages of one invocation; `Owner.same` excludes reused process numbers."""
        return f"{self.owner.host}:{self.owner.pid}:{self.experiment or ''}"

    def name(self, stage: str, corpus: str) -> str:
        """The name of the parent run; `corpus` may be empty."""
        begun = self.experiment or ("repro" if self.stage else stage)
        return " ".join(filter(None, (begun, corpus, "" if self.experiment else self.commit[:7])))

    @cached_property
    def commit(self) -> str:
        """The git commit of the working tree; empty outside git."""
        return git("rev-parse", "HEAD")

    @cached_property
    def dirty(self) -> bool:
        """Whether tracked files differ from the commit, except `dvc.lock`, which the pipeline itself writes."""
        changed = git("status", "--porcelain", "--untracked-files=no").splitlines()
        return any(not line.endswith("dvc.lock") for line in changed)


def is_dvc(process: Any) -> bool:
    """Whether a `psutil.Process` is DVC's command line: `dvc ...`, `python .../dvc ...` or `python -m dvc ...`."""
    import psutil

    try:
        return any(Path(word).name in ("dvc", "dvc.exe") for word in process.cmdline()[:3])
    except psutil.Error:
        return False


@dataclass(frozen=True)
class Target:
    """The run of a stage and its parent run, in a store."""

    store: Store
    parent_id: str
    child_id: str
    corpus: str = ""  # the chosen corpus, which is part of data sets' names

    @property
    def client(self) -> Any:
        """`mlflow.MlflowClient` of the store."""
        return self.store.client


Operation = Callable[[Target], None]  # writes an entry to a stage's run


def open_runs(
    store: Store, invocation: Invocation, stage: str, params: Mapping[str, Any], all_params: Mapping[str, Any]
) -> Target:
    """Find or create the parent run of `invocation`, with `all_params`, and create the child run of `stage`."""
    mark_killed(store)
    parent_id = _parent(store, invocation, stage, all_params)
    own = {STAGE: invocation.stage or stage, PARENT: parent_id}  # the stage's name as in `dvc.lock`
    child = _create(store, stage, {**_tags(invocation, Owner.of()), **own}, params)
    return Target(store, parent_id, child, str(all_params.get(CORPUS, "")))


def open_apart(beside: Target, stage: str, tags: Mapping[str, str], params: Mapping[str, Any]) -> Target:
    """Create a RUNNING run, in the store of `beside`, for a `stage` that is in no pipeline run there."""
    own = {**_tags(Invocation.current(), Owner.of()), **tags, STAGE: stage}
    run_id = _create(beside.store, stage, own, params)
    return replace(beside, parent_id=run_id, child_id=run_id)


def close_runs(target: Target, error: BaseException | None) -> None:
    """Set the status of child and parent: FINISHED, KILLED after a signal, or FAILED with the error."""
    client = target.client
    status = "FINISHED" if error is None else "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
    if status == "FAILED":
        message = f"{type(error).__name__}: {error}"[:5000]
        client.set_tag(target.child_id, ERROR, message)
        stage = client.get_run(target.child_id).data.tags[STAGE]
        client.set_tag(target.parent_id, ERROR, f"{stage}: {message}")
    client.set_terminated(target.child_id, status)
    failed_before = ERROR in client.get_run(target.parent_id).data.tags
    client.set_terminated(target.parent_id, "FAILED" if failed_before else status)


def mark_killed(store: Store) -> None:
    """Set RUNNING runs of this host to KILLED whose process has ended, or is invisible and sends no system metrics."""
    here = visible_processes()
    running = _search(store, f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{socket.gethostname()}'")
    for run in running:
        owner = _owner(run)
        if owner.processes == here:
            active = owner.alive()
        else:  # whether the run, or a child of it, started or recorded a system metric recently
            parts = [run, *(child for child in running if child.data.tags.get(PARENT) == run.info.run_id)]
            histories = (store.client.get_metric_history(part.info.run_id, SIGN) for part in parts)
            signs = (point.timestamp for history in histories for point in history)
            active = time.time() - max([*signs, *(part.info.start_time for part in parts)]) / 1000 < SILENT_SECONDS
        if not active:
            store.client.set_terminated(run.info.run_id, "KILLED")


def children(target: Target) -> dict[str, str]:
    """Run ids of the stages that ran in this invocation, the latest of each, by name."""
    found = _search(target.store, f"tags.`{PARENT}` = '{target.parent_id}'")
    return {run.data.tags[STAGE]: run.info.run_id for run in reversed(found) if STAGE in run.data.tags}


def maker(store: Store, stage: str, key: str) -> str | None:
    """The latest finished run of `stage` with this key; it made the outs that DVC has for these inputs."""
    query = f"tags.`{KEY}` = '{key}' and tags.`{STAGE}` = '{stage}' and attributes.status = 'FINISHED'"
    return next((run.info.run_id for run in _search(store, query, at_most=1)), None)


def points(values: Mapping[str, float], step: int) -> list[Any]:
    """MLflow's metrics of now."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(name, float(value), now, step) for name, value in values.items()]


def _search(store: Store, query: str, at_most: int = 1000) -> list[Any]:
    """Runs that match an MLflow filter, latest first."""
    return list(store.client.search_runs([store.experiment_id], query, max_results=at_most))


def _parent(store: Store, invocation: Invocation, stage: str, all_params: Mapping[str, Any]) -> str:
    for run in _search(store, f"tags.`{INVOCATION}` = '{invocation.key}'"):
        if PARENT not in run.data.tags and _owner(run).same(invocation.owner):
            store.client.update_run(run.info.run_id, "RUNNING")
            return str(run.info.run_id)
    tags = {**_tags(invocation, invocation.owner), INVOCATION: invocation.key}
    return _create(store, invocation.name(stage, str(all_params.get(CORPUS, ""))), tags, all_params)


def _create(store: Store, name: str, tags: Mapping[str, str], params: Mapping[str, Any]) -> str:
    from mlflow.entities import Param

    run_id = str(store.client.create_run(store.experiment_id, tags=dict(tags), run_name=name).info.run_id)
    entries = [Param(key, str(value)) for key, value in params.items()]
    for start in range(0, len(entries), MOST_PARAMS):
        store.client.log_batch(run_id, params=entries[start : start + MOST_PARAMS])
    return run_id


def _tags(invocation: Invocation, owner: Owner) -> dict[str, str]:
    import psutil

    tags = {
        COMMIT: invocation.commit,
        "git.dirty": str(invocation.dirty).lower() if invocation.commit else "",
        "mlflow.user": psutil.Process().username(),
        "mlflow.source.git.commit": invocation.commit,
        "mlflow.source.name": os.path.basename(sys.argv[0]),
        "mlflow.source.type": "LOCAL",
        EXPERIMENT: invocation.experiment or "",
        "dvc.exp.baseline": os.environ.get("DVC_EXP_BASELINE_REV", ""),
        HOST: owner.host,
        PID: str(owner.pid),
        STARTED: repr(owner.started),
        PROCESSES: owner.processes,
    }
    return {name: value for name, value in tags.items() if value}


def _owner(run: Any) -> Owner:
    tags = run.data.tags
    return Owner(tags[HOST], int(tags[PID]), float(tags[STARTED]), tags.get(PROCESSES, ""))
