"""Whether a mouth speaks, and whether its movements match the sound."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.similarity import apply_similarity, fit_similarity
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME

SMOOTHING = 2.0  # sigma in frames of the Gaussian that removes the noise of the points from movements
MAX_LAG = 3
"""Frames between sound and lips that are allowed: delays of players and encoders, and lips that start before sound."""
MIN_FRAMES = 50
"""Frames that are needed to compare sound and lips."""
SPEECH_BAND = 300.0, 3000.0  # hertz between which speech is louder than the noise of a room
PAUSE_DEPTH = 25.0  # decibels below the loudest frame from which a frame is silent
MIN_SHARE = 0.2
"""Share of frames that must be silent, and share that must not: speech without pauses cannot be compared."""
_MAX_DEPTH = 40.0  # dB below the loudest frame at which levels are clipped


def measure_movement(points_T68x2: NDArray[np.floating], shows_T: NDArray[np.bool_]) -> float:
    """How much the shape of a mouth changes, in pixels of the crop: the standard deviation of its points.

    Each frame's mouth is aligned to the median mouth first, so zooming or a shaken camera does not count. NaN when
    ``shows_T`` marks the mouth as visible in less than half of the frames. Speech has 0.25 and more. A still picture
    has 0 to 0.13, also when it is zoomed, shaken, noisy or badly encoded.
    """
    if shows_T.mean() < 0.5:
        return float("nan")
    mouths = points_T68x2[shows_T][:, MOUTH].astype(np.float64)
    usual = np.median(mouths, axis=0)
    aligned = np.stack([apply_similarity(fit_similarity(mouth, usual), mouth) for mouth in mouths])
    smooth = gaussian_filter1d(aligned, SMOOTHING, axis=0, mode="nearest")
    return float(np.sqrt(np.square(smooth - smooth.mean(axis=0)).sum(axis=2).mean(axis=0)).mean())


def measure_sync(points_T68x2: NDArray[np.floating], found_T: NDArray[np.bool_], samples_N: NDArray[np.int16]) -> float:
    """How well lips match the sound, -1 to 1: the correlation of `mouth_speed` and `speech_level` at the best lag.

    Lags up to `MAX_LAG` frames are tried. ``points_T68x2`` are in pixels of the crop; ``samples_N`` is mono 16 kHz
    sound from the first frame on. NaN with fewer than `MIN_FRAMES` frames, with a frame without the face, or without
    both speech and pauses.
    """
    level_T = speech_level(samples_N)[: len(found_T)]
    silent = float((level_T < level_T.max(initial=-np.inf) - PAUSE_DEPTH).mean()) if len(level_T) else 0.0
    if len(level_T) < max(MIN_FRAMES, len(found_T)) or not found_T.all() or not MIN_SHARE <= silent <= 1 - MIN_SHARE:
        return float("nan")
    speed_T = mouth_speed(points_T68x2)
    return max(correlation(speed_T, level_T, lag) for lag in range(-MAX_LAG, MAX_LAG + 1))


def mouth_speed(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The mean speed (T,) of the mouth's 20 points relative to their middle, in the points' unit per frame."""
    mouth = points_T68x2[:, MOUTH].astype(np.float64)
    steps = np.diff(mouth - mouth.mean(axis=1, keepdims=True), axis=0)
    between = np.linalg.norm(steps, axis=2).mean(axis=1)
    speed_T = (np.r_[between[:1], between] + np.r_[between, between[-1:]]) / 2  # the mean of both sides of a frame
    return np.asarray(gaussian_filter1d(speed_T, SMOOTHING, mode="nearest"))


def speech_level(samples_N: NDArray[np.int16]) -> NDArray[np.float64]:
    """The level (T,) in dB of `SPEECH_BAND` in each frame's 640 samples, at least 40 dB below the loudest frame."""
    frames = samples_N[: len(samples_N) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    hertz = np.fft.rfftfreq(SAMPLES_PER_FRAME, 1 / RATE)
    in_band = (hertz >= SPEECH_BAND[0]) & (hertz < SPEECH_BAND[1])
    window = np.hanning(SAMPLES_PER_FRAME)
    power = [  # a thousand frames at a time: the spectra of an hour would take half a gigabyte
        np.square(np.abs(np.fft.rfft(frames[at : at + 1000] * window, axis=1)[:, in_band])).sum(axis=1)
        for at in range(0, len(frames), 1000)
    ]
    level = 10 * np.log10(np.concatenate([np.zeros(0), *power]) + 1.0)
    return np.asarray(np.maximum(level, level.max(initial=0.0) - _MAX_DEPTH))


def correlation(first_T: NDArray[np.float64], second_T: NDArray[np.float64], lag: int) -> float:
    """Pearson's correlation when ``second_T`` comes ``lag`` frames later; 0 when one of them is constant."""
    first = first_T[max(0, -lag) : len(first_T) - max(0, lag)]
    second = second_T[max(0, lag) : len(second_T) - max(0, -lag)]
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt(np.square(first).sum() * np.square(second).sum()))
    return float((first * second).sum() / size) if size else 0.0
