"""Lips closed on p, b and m: whether a mouth shuts where it must, which everybody sees who does not lip-read."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip, runs
from pipeline.landmarks.mouth import mouth_opening
from pipeline.speech.phonemes import Phoneme

CLOSED = 0.04
"""How far the inner lips may be apart more than a clip's `closed_level` and count as closed, in distances of the eyes.

Fitted on real clips to tell p, b and m from open vowels (benchmarks/closed_lips.py; docs/evaluation.md).
"""
REST = 5.0
"""Percentile of a clip's openings that its closed lips have: how far apart dlib sees shut lips differs by speaker."""
HIGHEST_REST = 0.06
"""What no real clip's closed lips exceed, so that a mouth that hangs open throughout is not taken for shut."""
BESIDE = 1
"""Frames before and after the phoneme in which the lips may close."""
REACH = 5
"""Frames further to either side in one of which the mouth must be open: lips that never part do not close."""


def closed_level(opening_T: NDArray[np.floating]) -> float:
    """The opening that a clip's closed lips have, in distances of the eyes; NaN without a face."""
    if np.isnan(opening_T).all():
        return float("nan")
    return min(float(np.nanpercentile(opening_T, REST)), HIGHEST_REST)


def closures(opening_T: NDArray[np.floating], phonemes_T: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Of every p, b and m in turn, whether the lips close on it.

    They do if within the phoneme's frames and `BESIDE` the smallest opening is at most `closed_level` + `CLOSED`, and
    within `REACH` of those the largest is more. Frames without a face show neither. Of two that follow each other
    without a frame between, one closure is asked for.
    """
    limit = closed_level(opening_T) + CLOSED
    seen = []
    for first, last in runs(phonemes_T == Phoneme.BILABIAL):
        begin, end = max(0, first - BESIDE), last + BESIDE
        within, around = opening_T[begin:end], opening_T[max(0, begin - REACH) : end + REACH]
        seen.append(bool((within <= limit).any() and (around > limit).any()))
    return np.array(seen, bool)


def closed_share(points_T68x2: NDArray[np.floating], phonemes_T: NDArray[np.int8]) -> float:
    """The share of `closures`, 0 to 1; NaN where no face is found, or no p, b or m is spoken."""
    opening_T = mouth_opening(points_T68x2)
    seen = closures(opening_T, phonemes_T)
    return float(seen.mean()) if len(seen) and not np.isnan(opening_T).all() else float("nan")


register(
    MetricEntry(
        name="closed",
        title="Lips closed on p, b, m",
        unit="share of those spoken",
        higher_is_better=True,
        digits=3,
        compares="phonemes",
        make=lambda: OfClip(closed_share),
        real=False,
        about="How often the lips close on p, b and m.",
    )
)
