"""MFCC as the package python_speech_features computes them, for the published networks and SyncNet."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct

from pipeline.runtime.clock import RATE
from pipeline.speech.mel import COEFFICIENTS, HOP


@dataclass(frozen=True)
class ClassicMfcc:
    """The package's settings and their defaults."""

    window: float = 0.025
    """Seconds of speech behind one row, from the row's time on."""
    preemphasis: float = 0.97
    """Share of each sample that is subtracted from the next."""
    transform: int = 512
    """Samples of the Fourier transform, without a taper."""
    bands: int = 26
    """Triangular bands, evenly spaced on HTK's mel scale, with corners on whole bins."""
    lifter: int = 22
    """Length of the sine that raises the higher coefficients."""


def classic_mfcc(samples_N: NDArray[np.float64], settings: ClassicMfcc) -> NDArray[np.float64]:
    """MFCC rows (R, 13) at 100 Hz of 16 kHz mono speech. Row r covers the samples from 160 r on.

    Column 0 is the logarithm of the energy. Only this column depends on the scale of the samples, [-1, 1] or int16. The
    last rows are padded with silence.
    """
    length = round(settings.window * RATE)
    rows = 1 + max(0, -(-(len(samples_N) - length) // HOP))
    emphasized = samples_N.copy()
    emphasized[1:] -= settings.preemphasis * samples_N[:-1]
    padded = np.pad(emphasized, (0, max(0, (rows - 1) * HOP + length - len(emphasized))))
    power = np.abs(np.fft.rfft(sliding_window_view(padded, length)[::HOP][:rows], settings.transform)) ** 2
    power /= settings.transform
    coefficients = dct(_log(power @ _bands(settings).T), norm="ortho", axis=1)[:, :COEFFICIENTS]
    coefficients *= 1 + settings.lifter / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / settings.lifter)
    coefficients[:, 0] = _log(power.sum(axis=1))
    return np.asarray(coefficients)


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.where(values == 0, np.finfo(np.float64).eps, values)))


def _bands(settings: ClassicMfcc) -> NDArray[np.float64]:
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, settings.bands + 2) / 2595) - 1)
    corners = np.floor((settings.transform + 1) * hertz / RATE)
    bins = np.arange(settings.transform // 2 + 1)
    return np.stack([np.interp(bins, corners[band : band + 3], [0, 1, 0]) for band in range(settings.bands)])
