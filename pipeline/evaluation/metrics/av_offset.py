"""Audio-visual offset: by how many frames the lips come before or after the sound, from landmarks alone."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.level import decibels
from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.faces.lips import LEAST, correlation, mouth_speed
from pipeline.landmarks.mouth import mouth_opening

LAGS = np.arange(-15, 16)
"""Frames by which the lips are moved against the sound: SyncNet's."""


def lag_correlations(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> NDArray[np.float64]:
    """For each of `LAGS`, the number of frames by which the lips come after the sound, how far both go together (31,).

    That is the mean of three correlations: of how far the mouth is open and of how fast it moves with the sound's level
    in dB, and of how the opening changes with how the level does. Frames without a face are interpolated. All NaN
    where it cannot be told: under 50 frames, with a face in less than half of them, or in digital silence.
    """
    found_T = ~np.isnan(points_T68x2).any(axis=(1, 2))
    level_T = decibels(loudness_T)
    if len(found_T) < LEAST or found_T.mean() < 0.5 or not np.ptp(level_T):
        return np.full(len(LAGS), np.nan)
    points = filled(points_T68x2, found_T)
    if not np.ptp(points, axis=0).any():  # a still picture, whose rounding errors would correlate
        return np.zeros(len(LAGS))
    opening_T = mouth_opening(points)
    pairs = [(opening_T, level_T), (mouth_speed(points), level_T), (np.gradient(opening_T), np.gradient(level_T))]
    # Of `correlation` the second comes later by the lag; here the first does.
    return np.array([np.mean([correlation(*pair, -int(lag)) for pair in pairs]) for lag in LAGS])


def av_offset(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """The lag at which `lag_correlations` is highest; NaN where that cannot be told, or no lip moves."""
    correlations = lag_correlations(points_T68x2, loudness_T)
    if not np.ptp(correlations) > 0:
        return float("nan")
    return float(LAGS[correlations.argmax()])


def av_strength(points_T68x2: NDArray[np.floating], loudness_T: NDArray[np.floating]) -> float:
    """The highest of `lag_correlations` minus their median: 0 for lips that stay; NaN where it cannot be told."""
    correlations = lag_correlations(points_T68x2, loudness_T)
    return float(correlations.max() - np.median(correlations))


def filled(points_T68x2: NDArray[np.floating], found_T: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The points (T, 68, 2) with those of frames without a face interpolated from their neighbours."""
    numbers, seen = np.arange(len(found_T)), np.flatnonzero(found_T)
    flat = points_T68x2.reshape(len(found_T), -1).astype(np.float64)
    return np.stack([np.interp(numbers, seen, column[seen]) for column in flat.T], axis=1).reshape(points_T68x2.shape)


register(
    MetricEntry(
        name="av_offset",
        title="Audio-visual offset",
        unit="frames the lips are late",
        higher_is_better=False,
        digits=2,
        compares="loudness",
        make=lambda: OfClip(av_offset),
        real=False,
        nearest="0",
        about="By how many frames the lips come after the sound; a single clip can be wrong by 10 frames.",
    )
)
