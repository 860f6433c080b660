"""Offsets of the lips in frames, from landmarks alone: from the sound, and from the real lips."""

from collections.abc import Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.lips import MIN_FRAMES, correlation, mouth_speed
from pipeline.landmarks.points import interpolate_missing
from pipeline.landmarks.shape import mouth_opening
from pipeline.metrics.base import METRICS, ClipMetric, MetricEntry
from pipeline.metrics.lips import STILL, decibels

LAGS = np.arange(-15, 16)
"""Frames by which the lips are shifted against the sound, as in SyncNet."""
OVERLAP = 25
"""Frames that both mouths must share at a lag."""
SURE = 0.7
"""Correlation from which on a lag is reported. The lips of another GRID clip reach it in one of eleven pairs
(benchmarks/av_offset.py)."""


def lag_correlations(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> NDArray[np.float64]:
    """How well lips and sound match if the lips come `LAGS` frames late (31,).

    It is the mean of three correlations: mouth opening and level in dB, mouth speed and level, change of opening and
    change of level. Frames without a face are interpolated. All NaN for under 50 frames, for a face in less than half
    of them, and for digital silence; all 0 for a still picture.
    """
    has_face_T = ~np.isnan(points_T68x2).any(axis=(1, 2))
    level_T = decibels(loudness_T)
    if len(has_face_T) < MIN_FRAMES or has_face_T.mean() < 0.5 or not np.ptp(level_T):
        return np.full(len(LAGS), np.nan)
    points = interpolate_missing(points_T68x2, has_face_T)
    if not np.ptp(points, axis=0).any():  # its rounding errors would correlate
        return np.zeros(len(LAGS))
    # In `correlation` the second signal is late by the lag; here the first one is.
    return _mean_correlations(_signals(points), (level_T, level_T, np.gradient(level_T)), -LAGS)


def _signals(points_T68x2: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The opening of a mouth, its speed, and the opening's change (T,)."""
    opening_T = mouth_opening(points_T68x2)
    return opening_T, mouth_speed(points_T68x2), np.gradient(opening_T)


def _mean_correlations(
    first: Iterable[NDArray[np.float64]], second: Iterable[NDArray[np.float64]], lags: NDArray[np.int_]
) -> NDArray[np.float64]:
    """The mean over pairs of signals of their correlation at each lag."""
    pairs = list(zip(first, second, strict=True))
    return np.array([np.mean([correlation(*pair, int(lag)) for pair in pairs]) for lag in lags])


def av_offset(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """The lag with the highest of `lag_correlations`; NaN if they are unknown or no lip moves."""
    correlations = lag_correlations(points_T68x2, loudness_T)
    if not np.ptp(correlations) > 0:
        return float("nan")
    return float(LAGS[correlations.argmax()])


def av_strength(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """The highest of `lag_correlations` minus their median: 0 for still lips; NaN if they are unknown."""
    correlations = lag_correlations(points_T68x2, loudness_T)
    return float(correlations.max() - np.median(correlations))


def mouth_correlations(
    fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Lags in frames by which the generated mouth comes after the real one, and how well both match at each.

    It is the mean of three correlations: of the openings, of the speeds and of the openings' changes. Frames without a
    face are interpolated. There are no lags if less than half of the frames have a face or a mouth does not move.

    Raises ValueError for clips of different lengths.
    """
    if len(fake_T68x2) != len(real_T68x2):
        raise ValueError(f"{len(fake_T68x2)} generated frames cannot be compared with {len(real_T68x2)} real ones")
    nothing = np.zeros(0, np.int_), np.zeros(0)
    clips = [real_T68x2, fake_T68x2]
    has_face = [~np.isnan(points).any(axis=(1, 2)) for points in clips]
    if min(has_face_T.mean() if len(has_face_T) else 0.0 for has_face_T in has_face) < 0.5:
        return nothing
    lags = LAGS[np.abs(LAGS) <= len(fake_T68x2) - OVERLAP]
    if not len(lags):
        return nothing
    real, fake = (_signals(interpolate_missing(*clip)) for clip in zip(clips, has_face, strict=True))
    if min(float(np.ptp(opening_T)) for opening_T, *_ in (real, fake)) <= STILL:
        return nothing
    return lags, _mean_correlations(real, fake, lags)


def relative_offset(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """The lag of the highest of `mouth_correlations`; NaN if that is below `SURE`, or at the first or last lag."""
    lags, correlations = mouth_correlations(fake_T68x2, real_T68x2)
    if not len(lags) or correlations.max() < SURE:
        return float("nan")
    best = int(correlations.argmax())
    inside = len(lags) == 1 or 0 < best < len(lags) - 1
    return float(lags[best]) if inside else float("nan")


LATE = "frames the lips are late"
# fmt: off
METRICS.add(
    MetricEntry("av_offset", "Audio-visual offset", partial(ClipMetric, av_offset), "loudness", unit=LATE, digits=2,
        real=False, nearest="0",
        about="By how many frames the lips come after the sound; a single clip can be wrong by 10 frames."),
    MetricEntry("relative_offset", "Offset from the real lips", partial(ClipMetric, relative_offset), "shapes",
        unit=LATE, digits=2, across=True, nearest="0",
        about="By how many frames the lips come after the real ones; absent where they do not clearly go together."),
    MetricEntry("av_strength", "Strength of the audio-visual offset", partial(ClipMetric, av_strength), "loudness",
        unit="correlation", higher_is_better=True, real=False,
        about="How clearly lips and sound go together at that offset."),
)
# fmt: on
