"""Whether the mouth opens when the real one does."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.faces.lips import correlation
from pipeline.landmarks.mouth import mouth_opening

LEAST = 3
"""Frames with both faces below which nothing is said: any two openings correlate."""

STILL = 1e-5
"""A mouth whose opening varies by less, in distances of the eyes, does not move: that is what rounding does."""


def openings(
    fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The openings of both mouths in the frames in which both faces were found; none at all where nothing can be said:
    of fewer than `LEAST` frames, and where the real mouth does not move.
    """
    both = np.stack([mouth_opening(fake_T68x2), mouth_opening(real_T68x2)])
    fake, real = both[:, np.isfinite(both).all(axis=0)]
    return (fake, real) if len(real) >= LEAST and np.ptp(real) else (fake[:0], real[:0])


def opening_correlation(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """Pearson's correlation of the openings, -1 to 1; NaN where one of the mouths does not move.

    sum (f - mean f)(r - mean r) / sqrt(sum (f - mean f)^2 sum (r - mean r)^2)
    """
    fake, real = openings(fake_T68x2, real_T68x2)
    return correlation(fake, real, 0) if len(fake) and np.ptp(fake) > STILL else float("nan")


register(
    MetricEntry(
        name="opening",
        title="Correlation of the mouth opening",
        unit="",
        higher_is_better=True,
        digits=3,
        compares="shapes",
        make=lambda: OfClip(opening_correlation),
        across=True,
        about="Whether the mouth opens when the real one opens; 1 is always.",
    )
)
