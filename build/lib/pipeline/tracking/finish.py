"""The end of a pipeline run: what its parent run says about the whole.

The last stage calls this. A stage whose outs came from DVC's cache started no process and has no run here: the parent
links to the run that made those outs. And the models of this pipeline run, made now or then, compete for their alias.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

from pipeline.tracking import lineage, log, runs
from pipeline.tracking.runs import Target
from pipeline.tracking.writer import Operation

BEST = "best"
"""Alias of the registered version with the lowest deciding metric."""

ELSEWHERE = "made elsewhere"
"""Stands for the run of a stage whose outs came from a machine with another store."""

METRIC, VALUE, JUDGED_ON = "best.metric", "best.value", "best.judged_on"


def finish(metrics: Mapping[str, float], deciding: Mapping[str, tuple[str, float]], judged_on: str) -> Operation:
    """Write final metrics, links and data hashes to the parent run and move the aliases.

    `deciding`: for each registered model the name and value of its deciding metric, where lower is better.
    Only values from the same data, which `judged_on` names, are compared: `best-<judged_on>` is the best version on
    that data, and `best` the best on the data judged on last.
    """

    def write(target: Target) -> None:
        client, parent = target.client, target.parent_id
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        client.log_batch(parent, metrics=[Metric(name, value, now, 0) for name, value in metrics.items()])
        makers = _link(target)
        for model, (name, value) in deciding.items():
            _compete(client, model, makers, {METRIC: name, VALUE: repr(value), JUDGED_ON: judged_on})

    return write


def _link(target: Target) -> set[str]:
    """Link the parent to the run behind each stage; returns these runs' ids."""
    ran = runs.children(target)
    stages: dict[str, Any] = {}
    for name, record in lineage.locked_stages().items():
        if ran.get(name) == target.child_id:
            continue  # the stage that runs now: DVC's entry is still that of the run before
        run_id = ran.get(name) or runs.maker(target.store, name, record.key)
        stages[name] = {
            "run_id": run_id,
            "from_cache": name not in ran,
            "deps": {dep.path: dep.md5 for dep in record.deps},
            "outs": {out.path: out.md5 for out in record.outs},
        }
        log.inputs(target.client, target.parent_id, record.outs, name)
    for name in ran.keys() - stages.keys():
        stages[name] = {"run_id": ran[name], "from_cache": False}
    for name, entry in stages.items():
        target.client.set_tag(target.parent_id, f"stage.{name}", entry["run_id"] or ELSEWHERE)
    target.client.set_tag(target.parent_id, "mlflow.note.content", _note(target.store.experiment_id, stages))
    target.client.log_dict(target.parent_id, stages, "lineage.json")
    return {entry["run_id"] for entry in stages.values() if entry["run_id"]}


def _note(experiment_id: str, stages: Mapping[str, Any]) -> str:
    """The links as a table, which MLflow's user interface shows as the run's description."""
    rows = ["| stage | run | |", "|---|---|---|"]
    for name, entry in stages.items():
        run_id = entry["run_id"]
        link = f"[{run_id[:8]}](#/experiments/{experiment_id}/runs/{run_id})" if run_id else ELSEWHERE
        rows.append(f"| {name} | {link} | {'from the cache' if entry['from_cache'] else 'ran'} |")
    return "\n".join(rows)


def _compete(client: Any, model: str, makers: set[str], judgement: Mapping[str, str]) -> None:
    versions = [
        version
        for run_id in makers
        for version in client.search_model_versions(f"name = '{model}' and run_id = '{run_id}'")
    ]
    if not versions:
        return
    version = max(versions, key=lambda found: int(found.version))
    for name, value in judgement.items():
        client.set_model_version_tag(model, version.version, name, value)
    # The lowest of all that were judged alike, not just of this one and the holder: so it does not matter in
    # which order parallel experiments end, or whether a version is judged again.
    query = " and ".join(
        [f"name = '{model}'", *(f"tags.`{name}` = '{judgement[name]}'" for name in (METRIC, JUDGED_ON))]
    )
    judged = client.search_model_versions(query, max_results=1000)
    winner = min(judged, key=_rank)
    for alias in (BEST, f"{BEST}-{judgement[JUDGED_ON]}"):
        client.set_registered_model_alias(model, alias, winner.version)


def _rank(version: Any) -> tuple[bool, float, int]:
    """Order of versions: the lowest value first, no number last, the older of two equals first."""
    value = float(version.tags[VALUE])
    return math.isnan(value), value, int(version.version)
