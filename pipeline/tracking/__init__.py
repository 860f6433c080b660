"""Tracking with MLflow; no other package uses it. In a stage: `with tracking.stage("train_vgnet", params) as run: ...`.

A run of the pipeline is a parent run, and each of its stages a child. Tracking never changes an out, and never delays
or ends a training.
"""

from pipeline.tracking.best import Judgement
from pipeline.tracking.run import Run, stage

__all__ = ["Judgement", "Run", "stage"]
