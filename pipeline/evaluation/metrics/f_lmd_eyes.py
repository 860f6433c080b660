"""LMD of the whole face divided by the distance of the eyes."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import SOURCE, LandmarkDistance

register(
    MetricEntry(
        name="f_lmd_eyes",
        title="LMD of the face by the eyes",
        unit="% of the distance of the eyes",
        higher_is_better=False,
        digits=2,
        compares="landmarks",
        make=lambda: LandmarkDistance(slice(None), by_eyes=True),
        source=f"{SOURCE}; normalised as in Sagonas et al., ICCV Workshops 2013",
        about="The same, relative to the distance of the eyes.",
    )
)
