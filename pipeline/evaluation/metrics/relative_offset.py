"""Offset from the real lips: by how many frames the generated lips come after the real ones, from landmarks alone."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.av_offset import LAGS, filled
from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.evaluation.metrics.opening import STILL
from pipeline.faces.lips import correlation, mouth_speed
from pipeline.landmarks.mouth import mouth_opening

OVERLAP = 25
"""Frames that both mouths must have at a lag, for their correlation there to say something."""
SURE = 0.7
"""Correlation from which on a lag is told. The lips of another clip of GRID reach it in one of eleven pairs
(benchmarks/av_offset.py).
"""


def mouth_correlations(
    fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Lags in frames by which the generated mouth comes after the real one, and how far both go together at each.

    That is the mean of three correlations: of how far the mouths are open, of how fast they move, and of how the
    openings change. Frames without a face are interpolated. No lags at all where nothing can be told: with a face in
    less than half of the frames, and for a mouth that does not move. Raises ValueError for clips of other lengths.
    """
    if len(fake_T68x2) != len(real_T68x2):
        raise ValueError(f"{len(fake_T68x2)} generated frames cannot be compared with {len(real_T68x2)} real ones")
    nothing = np.zeros(0, np.int_), np.zeros(0)
    both = [fake_T68x2, real_T68x2]
    found = [~np.isnan(points).any(axis=(1, 2)) for points in both]
    if min(one.mean() if len(one) else 0.0 for one in found) < 0.5:
        return nothing
    fake, real = (filled(*one) for one in zip(both, found, strict=True))
    openings = [mouth_opening(points) for points in (real, fake)]
    lags = LAGS[np.abs(LAGS) <= len(fake) - OVERLAP]
    if not len(lags) or min(float(np.ptp(one)) for one in openings) <= STILL:
        return nothing
    changes, speeds = [np.gradient(one) for one in openings], [mouth_speed(points) for points in (real, fake)]
    pairs = [(real_T, fake_T) for real_T, fake_T in (openings, speeds, changes)]
    return lags, np.array([np.mean([correlation(*pair, int(lag)) for pair in pairs]) for lag in lags])


def relative_offset(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """The lag of the highest of `mouth_correlations`; NaN where that is below `SURE`, or at the last lag to a side."""
    lags, correlations = mouth_correlations(fake_T68x2, real_T68x2)
    if not len(lags) or correlations.max() < SURE:
        return float("nan")
    best = int(correlations.argmax())
    inside = len(lags) == 1 or 0 < best < len(lags) - 1
    return float(lags[best]) if inside else float("nan")


register(
    MetricEntry(
        name="relative_offset",
        title="Offset from the real lips",
        unit="frames the lips are late",
        higher_is_better=False,
        digits=2,
        compares="shapes",
        make=lambda: OfClip(relative_offset),
        across=True,
        nearest="0",
        about="By how many frames the lips come after the real ones; absent where they do not clearly go together.",
    )
)
