"""Tracking with MLflow; no other package uses it. Each stage runs in its own process and does

    with tracking.stage("train_vgnet", params, uses=["seed", "vgnet"]) as run:
        run.metrics({"loss": 0.1}, step=10)

A run of the pipeline is a parent run, and each of its stages a child. Tracking never changes an out, and never delays
or ends a training.
"""

from pipeline.tracking.best import Judgement
from pipeline.tracking.run import Run, stage

__all__ = ["Judgement", "Run", "stage"]
