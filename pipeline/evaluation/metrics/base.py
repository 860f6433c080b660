"""Former home of `pipeline.metrics.base`."""

from pipeline.metrics.base import METRICS, Compares, MetricEntry

__all__ = ["METRICS", "Compares", "MetricEntry", "register"]

register = METRICS.add
