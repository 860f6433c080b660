"""Whether a mouth speaks, and whether it speaks what is heard."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.similarity import apply_similarity, fit_similarity
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME

SMOOTH = 2.0
"""Frames of the Gaussian through which movement is seen, so that the noise of the points does not pass for it."""
LAG = 3
"""Frames by which sound and lips may be apart: players' and encoders' delays, and that lips begin before the sound."""
LEAST = 50
"""Frames from which on it can be told whether sound and lips go together."""
SPEECH = 300.0, 3000.0
"""Hertz between which speech is louder than a room."""
PAUSE = 25.0
"""Decibels below the loudest frame from which on a frame is silent."""
SHARE = 0.2
"""Of the frames, that must be silent, and as many not: in speech without a pause nothing can be told."""
_DEPTH = 40.0  # dB below the loudest frame, under which levels do not differ


def measure_movement(points_T68x2: NDArray[np.floating], shows_T: NDArray[np.bool_]) -> float:
    """How much the shape of a mouth changes, in pixels of the crop: the deviation of its points over the clip, where
    every frame's mouth is laid on the usual one first, so that neither a zoom nor a shaken camera counts. NaN where the
    mouth ``shows_T`` in less than half of the frames.

    Speech has 0.25 and more, a still picture 0 to 0.13, also where it is zoomed, shaken, noisy or badly encoded.
    """
    if shows_T.mean() < 0.5:
        return float("nan")
    mouths = points_T68x2[shows_T][:, MOUTH].astype(np.float64)
    usual = np.median(mouths, axis=0)
    laid = np.stack([apply_similarity(fit_similarity(mouth, usual), mouth) for mouth in mouths])
    smooth = gaussian_filter1d(laid, SMOOTH, axis=0, mode="nearest")
    return float(np.sqrt(np.square(smooth - smooth.mean(axis=0)).sum(axis=2).mean(axis=0)).mean())


def measure_sync(points_T68x2: NDArray[np.floating], found_T: NDArray[np.bool_], samples_N: NDArray[np.int16]) -> float:
    """How far sound and lips go together, -1 to 1: the correlation of how fast the 20 points of the mouth move with the
    level of the speech, at the best of the lags up to `LAG` frames.

    ``points_T68x2`` are in pixels of the crop, ``samples_N`` mono at 16 kHz, from the first frame on. NaN where it
    cannot be told: under `LEAST` frames, with the face not found throughout, or without both pauses and speech.
    """
    level_T = speech_level(samples_N)[: len(found_T)]
    silent = float((level_T < level_T.max(initial=-np.inf) - PAUSE).mean()) if len(level_T) else 0.0
    if len(level_T) < max(LEAST, len(found_T)) or not found_T.all() or not SHARE <= silent <= 1 - SHARE:
        return float("nan")
    speed_T = mouth_speed(points_T68x2)
    return max(correlation(speed_T, level_T, lag) for lag in range(-LAG, LAG + 1))


def mouth_speed(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """How fast the 20 points of the mouth move against their middle (T,), in the unit of the points per frame."""
    mouth = points_T68x2[:, MOUTH].astype(np.float64)
    steps = np.diff(mouth - mouth.mean(axis=1, keepdims=True), axis=0)
    speed = np.linalg.norm(steps, axis=2).mean(axis=1)
    # Between two frames lies the speed; in a frame it is the mean of those on both sides.
    return np.asarray(
        gaussian_filter1d((np.r_[speed[:1], speed] + np.r_[speed, speed[-1:]]) / 2, SMOOTH, mode="nearest")
    )


def speech_level(samples_N: NDArray[np.int16]) -> NDArray[np.float64]:
    """The level (T,) in dB of each frame's 640 samples between `SPEECH`, at most 40 dB below the loudest frame."""
    frames = samples_N[: len(samples_N) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    hertz = np.fft.rfftfreq(SAMPLES_PER_FRAME, 1 / RATE)
    heard = (hertz >= SPEECH[0]) & (hertz < SPEECH[1])
    window = np.hanning(SAMPLES_PER_FRAME)
    # A thousand frames at a time: an hour's spectra would take half a gigabyte.
    power = [
        np.square(np.abs(np.fft.rfft(frames[at : at + 1000] * window, axis=1)[:, heard])).sum(axis=1)
        for at in range(0, len(frames), 1000)
    ]
    level = 10 * np.log10(np.concatenate([np.zeros(0), *power]) + 1.0)
    return np.asarray(np.maximum(level, level.max(initial=0.0) - _DEPTH))


def correlation(one: NDArray[np.float64], other: NDArray[np.float64], lag: int) -> float:
    """Pearson's, of ``one`` with ``other`` that comes ``lag`` frames later; 0 where one of both is constant."""
    first, second = one[max(0, -lag) : len(one) - max(0, lag)], other[max(0, lag) : len(other) - max(0, -lag)]
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt(np.square(first).sum() * np.square(second).sum()))
    return float((first * second).sum() / size) if size else 0.0
