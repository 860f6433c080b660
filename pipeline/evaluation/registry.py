"""Former home of the registries; use `pipeline.metrics` and `pipeline.evaluation.baselines`."""

from pipeline.evaluation.baselines import BASELINES
from pipeline.metrics import DECIDING, FIRST, METRICS

__all__ = ["BASELINES", "DECIDING", "FIRST", "METRICS"]
