"""AT-net's own error in pixels: LMD of the landmarks that it predicts, before anything is painted."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import LandmarkDistance
from pipeline.landmarks.points import MOUTH

register(
    MetricEntry(
        name="drawn_lmd",
        title="LMD of the drawn landmarks",
        unit="px of the 128x128 face",
        higher_is_better=False,
        digits=3,
        compares="drawn",
        make=lambda: LandmarkDistance(MOUTH),
        about="LMD of the landmarks that were predicted, before anything is painted.",
    )
)
