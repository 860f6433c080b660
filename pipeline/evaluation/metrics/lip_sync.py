"""THEval's lip-sync: how unlike the mouth's opening and the sound's level are while somebody speaks."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.level import silent_frames
from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.landmarks.mouth import mouth_opening

SOURCE = "THEval, CVPR Findings 2026"


def lip_sync(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """1/T sum_t |n(opening)_t - n(loudness)_t| over the frames that are not silent and show a face, with
    n(x) = (x - min x) / (max x - min x) over the same frames, 0 for a constant. NaN for fewer than two such frames.
    """
    opening_T = mouth_opening(points_T68x2)
    speaks_T = ~silent_frames(loudness_T) & ~np.isnan(opening_T)
    if speaks_T.sum() < 2:
        return float("nan")
    return float(np.abs(_scaled(opening_T[speaks_T]) - _scaled(loudness_T[speaks_T])).mean())


def _scaled(values_T: NDArray[np.floating]) -> NDArray[np.float64]:
    least, span = float(values_T.min()), float(np.ptp(values_T))
    return np.asarray((values_T - least) / span if span else np.zeros(len(values_T)), np.float64)


register(
    MetricEntry(
        name="lip_sync",
        title="Lip-sync",
        unit="share of the range",
        higher_is_better=False,
        digits=3,
        compares="loudness",
        make=lambda: OfClip(lip_sync),
        source=SOURCE,
        real=False,
        nearest="the real clip",
        about="How unlike the opening of the mouth and the loudness are during speech.",
    )
)
