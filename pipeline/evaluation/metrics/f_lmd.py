"""LMD of the whole face: all 68 points."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import SOURCE, LandmarkDistance

register(
    MetricEntry(
        name="f_lmd",
        title="LMD of the face",
        unit="px of the 128x128 face",
        higher_is_better=False,
        digits=3,
        compares="landmarks",
        make=lambda: LandmarkDistance(slice(None)),
        source=SOURCE,
        about="The same as LMD, of all 68 points of the face.",
    )
)
