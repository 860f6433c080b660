"""Metrics, each a torchmetrics.Metric over a pure function."""

from pipeline.metrics.bootstrap import interval
from pipeline.metrics.landmarks import LandmarkDistance, landmark_distance
from pipeline.metrics.picture import PictureMetrics

__all__ = ["LandmarkDistance", "PictureMetrics", "interval", "landmark_distance"]
