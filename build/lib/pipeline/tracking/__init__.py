"""MLflow, and the only place that speaks it.

Each stage runs in a process of its own and does

    with tracking.stage("train_vgnet", params, uses=["seed", "vgnet"]) as run:
        run.metrics({"loss": 0.1}, step=10)

A run of the pipeline is a parent run, each of its stages a child. Tracking never changes an out, never holds a training
up and never ends one.
"""

from pipeline.tracking.run import Run, stage

__all__ = ["Run", "stage"]
