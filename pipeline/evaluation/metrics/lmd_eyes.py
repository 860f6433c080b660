"""LMD divided by the distance of the eyes, which compares across crops and sizes."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import SOURCE, LandmarkDistance
from pipeline.landmarks.points import MOUTH

register(
    MetricEntry(
        name="lmd_eyes",
        title="LMD by the eyes",
        unit="% of the distance of the eyes",
        higher_is_better=False,
        digits=2,
        compares="landmarks",
        make=lambda: LandmarkDistance(MOUTH, by_eyes=True),
        source=f"{SOURCE}; normalised as in Sagonas et al., ICCV Workshops 2013",
        about="The same as LMD, relative to the distance of the eyes.",
    )
)
