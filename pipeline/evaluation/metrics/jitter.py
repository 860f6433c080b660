"""Jitter: how much the nose and the corners of the eyes shake from frame to frame."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.faces.measure import measure_jitter
from pipeline.landmarks.points import STABLE


def jitter(points_T68x2: NDArray[np.floating]) -> float:
    """``measure_jitter`` of the points that neither speech nor blinking moves: their second differences over time, as
    the standard deviation of noise that would give them, in the unit of the points. Even motion has none. NaN where no
    three successive frames have a face.
    """
    stable_TPx2 = points_T68x2[:, STABLE].astype(np.float64)
    found_T = np.isfinite(stable_TPx2).all(axis=(1, 2))
    return measure_jitter(stable_TPx2, np.asarray(found_T, np.bool_))


register(
    MetricEntry(
        name="jitter",
        title="Jitter",
        unit="px of the 128x128 face",
        higher_is_better=False,
        digits=3,
        compares="shapes",
        make=lambda: OfClip(jitter),
        real=False,
        about="How much nose and eye corners shake from frame to frame.",
    )
)
