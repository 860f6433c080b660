"""Runs of stages that ran where the store is not, such as a training on a bare GPU machine.

Their outs came back as files, and `dvc commit` put them into `dvc.lock`. A run is written for them after the fact, by
what they say of themselves; from then on it is the run that made them, to which pipeline runs link.
"""

import time
from collections.abc import Mapping
from typing import Any

from pipeline.tracking import lineage, log, runs
from pipeline.tracking.runs import Target
from pipeline.tracking.writer import BATCH, Operation

NOTE = "Trained where this store is not, and committed to DVC. Written down afterwards: without pictures and load."


def adopt(
    stage: str,
    params: Mapping[str, Any],
    curves: Mapping[int, Mapping[str, float]],
    summary: Mapping[str, float],
    model: Operation,
) -> Operation:
    """Write the finished run of `stage`, as `dvc.lock` has it, unless the store has one already.

    `params` and `summary` (what the kept weights reached) are flat; `curves` holds metrics by step; `model` logs the
    model to a run.
    """

    def write(target: Target) -> None:
        records = lineage.locked_stages()
        if stage not in records or runs.maker(target.store, stage, records[stage].key):
            return
        from mlflow.entities import Metric

        record, now = records[stage], int(time.time() * 1000)
        own = runs.open_apart(target.store, stage, {runs.KEY: record.key, "mlflow.note.content": NOTE}, params)
        points = [Metric(name, value, now, step) for step, row in curves.items() for name, value in row.items()]
        points += [Metric(f"kept.{name}", value, now, max(curves)) for name, value in summary.items()]
        for start in range(0, len(points), BATCH):
            own.client.log_batch(own.child_id, metrics=points[start : start + BATCH])
        made = {out.path for other in records.values() for out in other.outs}
        log.inputs(own.client, own.child_id, [dep for dep in record.deps if dep.path in made], "input")
        model(own)
        own.client.set_terminated(own.child_id, "FINISHED")

    return write
