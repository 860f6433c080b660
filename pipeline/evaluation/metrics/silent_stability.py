"""THEval's silent lip stability: how still the lips are while nobody speaks."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.level import silent_frames
from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lip_sync import SOURCE
from pipeline.evaluation.metrics.of_clip import OfClip, runs
from pipeline.landmarks.mouth import mouth_opening
from pipeline.runtime.clock import FPS

LEAST = round(0.3 * FPS)
"""Frames from which on a silence is a pause, not the closure of a p, t or k: 0.3 s."""


def silent_stability(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """The standard deviation of the mouth's opening within each silence of at least 0.3 s, their mean weighted by their
    frames, in percent of the distance of the eyes. NaN without such a silence in which a face is found.
    """
    opening_T = mouth_opening(points_T68x2)
    silences = [opening_T[first:last] for first, last in runs(silent_frames(loudness_T)) if last - first >= LEAST]
    shown = [one[~np.isnan(one)] for one in silences]
    weights = [len(one) for one in shown if len(one) >= 2]
    if not weights:
        return float("nan")
    return float(100 * np.average([one.std() for one in shown if len(one) >= 2], weights=weights))


register(
    MetricEntry(
        name="silent_stability",
        title="Movement of the lips in silence",
        unit="% of the distance of the eyes",
        higher_is_better=False,
        digits=2,
        compares="loudness",
        make=lambda: OfClip(silent_stability),
        source=SOURCE,
        real=False,
        nearest="the real clip",
        about="How much the lips move during silence.",
    )
)
