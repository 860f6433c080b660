"""Metrics, each a torchmetrics.Metric over a pure function."""

from pipeline.evaluation.bootstrap import interval
from pipeline.evaluation.metrics.landmarks import LandmarkDistance, landmark_distance
from pipeline.evaluation.metrics.picture import PictureMetrics

__all__ = ["LandmarkDistance", "PictureMetrics", "interval", "landmark_distance"]
