"""Parent and child runs: a parent for each run of the pipeline, a child for each stage that ran in it.

MLflow has no notion of a run that several processes continue, so a stage finds its parent by a tag that names the
`dvc` process. The parent is RUNNING while a stage runs and FINISHED between stages; a failed stage makes it FAILED for
good.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from pipeline.tracking.invocation import Invocation, Owner
from pipeline.tracking.store import Store

INVOCATION, HOST, PID, STARTED = "pipeline.invocation", "pipeline.host", "pipeline.pid", "pipeline.started"
STAGE, KEY, ERROR = "dvc.stage", "dvc.key", "error"
PARENT = "mlflow.parentRunId"

AT_ONCE = 100
"""Params or tags that MLflow takes in one request."""


@dataclass(frozen=True)
class Target:
    """Where one stage writes: its run and its parent's, in a store."""

    store: Store
    parent_id: str
    child_id: str

    @property
    def client(self) -> Any:
        """`mlflow.MlflowClient` of the store."""
        return self.store.client


def open_runs(
    store: Store, invocation: Invocation, stage: str, params: Mapping[str, Any], all_params: Mapping[str, Any]
) -> Target:
    """Find or make the parent run of `invocation` and make a child for `stage`; both are RUNNING then.

    `params` are the flat params of the stage, `all_params` those of the pipeline.
    """
    mark_killed(store)
    parent_id = _parent(store, invocation, stage, all_params)
    own = Owner.of(psutil.Process())
    name = invocation.stage or stage  # DVC's own name, by which `dvc.lock` has it
    child = _create(store, stage, {**_tags(invocation, own), STAGE: name, PARENT: parent_id}, params)
    return Target(store, parent_id, child)


def open_apart(store: Store, stage: str, tags: Mapping[str, str], params: Mapping[str, Any]) -> Target:
    """Make a run, RUNNING, for a `stage` that no pipeline run of this store contains."""
    own = _tags(Invocation.current(), Owner.of(psutil.Process()))
    run_id = _create(store, stage, {**own, **tags, STAGE: stage}, params)
    return Target(store, run_id, run_id)


def close_runs(target: Target, error: BaseException | None) -> None:
    """Give child and parent their status: FINISHED, KILLED on the user's interruption, else FAILED with the error."""
    client = target.client
    killed = isinstance(error, KeyboardInterrupt)
    status = "FINISHED" if error is None else "KILLED" if killed else "FAILED"
    if error is not None and not killed:
        # An exit with a message is how a command line reports a user's error.
        message = f"{type(error).__name__}: {error}"[:5000]
        client.set_tag(target.child_id, ERROR, message)
        stage = client.get_run(target.child_id).data.tags[STAGE]
        client.set_tag(target.parent_id, ERROR, f"{stage}: {message}")
    client.set_terminated(target.child_id, status)
    failed_before = ERROR in client.get_run(target.parent_id).data.tags
    client.set_terminated(target.parent_id, "FAILED" if failed_before else status)


def mark_killed(store: Store) -> None:
    """Set runs to KILLED that are still RUNNING though their process of this host is gone."""
    host = Owner.of(psutil.Process()).host
    for run in search(store, f"attributes.status = 'RUNNING' and tags.`{HOST}` = '{host}'"):
        if not _owner(run).alive():
            store.client.set_terminated(run.info.run_id, "KILLED")


def children(target: Target) -> dict[str, str]:
    """Run ids of the stages that ran in this invocation, by stage name; the latest of each."""
    found = search(target.store, f"tags.`{PARENT}` = '{target.parent_id}'")
    return {run.data.tags[STAGE]: run.info.run_id for run in reversed(found) if STAGE in run.data.tags}


def maker(store: Store, stage: str, key: str) -> str | None:
    """The latest finished run of `stage` whose inputs had this key: it made the outs that DVC has for these inputs."""
    query = f"tags.`{KEY}` = '{key}' and tags.`{STAGE}` = '{stage}' and attributes.status = 'FINISHED'"
    found = search(store, query, at_most=1)
    return found[0].info.run_id if found else None


def search(store: Store, query: str, at_most: int = 1000) -> list[Any]:
    """Runs that match an MLflow filter, latest first."""
    return list(store.client.search_runs([store.experiment_id], query, max_results=at_most))


def log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Write flat params, in as many requests as MLflow needs."""
    from mlflow.entities import Param

    entries = [Param(name, str(value)) for name, value in params.items()]
    for start in range(0, len(entries), AT_ONCE):
        client.log_batch(run_id, params=entries[start : start + AT_ONCE])


def _parent(store: Store, invocation: Invocation, stage: str, all_params: Mapping[str, Any]) -> str:
    for run in search(store, f"tags.`{INVOCATION}` = '{invocation.key}'"):
        if PARENT not in run.data.tags and _owner(run).same(invocation.owner):
            store.client.update_run(run.info.run_id, "RUNNING")
            return str(run.info.run_id)
    tags = {**_tags(invocation, invocation.owner), INVOCATION: invocation.key}
    return _create(store, invocation.name(stage), tags, all_params)


def _create(store: Store, name: str, tags: Mapping[str, str], params: Mapping[str, Any]) -> str:
    run = store.client.create_run(store.experiment_id, tags=dict(tags), run_name=name)
    log_params(store.client, run.info.run_id, params)
    return str(run.info.run_id)


def _tags(invocation: Invocation, owner: Owner) -> dict[str, str]:
    tags = {
        "git.commit": invocation.commit,
        "git.dirty": str(invocation.dirty).lower() if invocation.commit else "",
        "mlflow.user": psutil.Process().username(),
        "mlflow.source.git.commit": invocation.commit,
        "mlflow.source.name": os.path.basename(sys.argv[0]),
        "mlflow.source.type": "LOCAL",
        "dvc.exp.name": invocation.experiment or "",
        "dvc.exp.baseline": invocation.baseline or "",
        HOST: owner.host,
        PID: str(owner.pid),
        STARTED: repr(owner.started),
    }
    return {name: value for name, value in tags.items() if value}


def _owner(run: Any) -> Owner:
    tags = run.data.tags
    return Owner(tags[HOST], int(tags[PID]), float(tags[STARTED]))
