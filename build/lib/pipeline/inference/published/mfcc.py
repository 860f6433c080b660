"""The original's MFCC and speech windows: those of the package python_speech_features, over speech put in silence."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct

from pipeline.runtime.clock import RATE
from pipeline.speech.mfcc import COEFFICIENTS, HOP
from pipeline.speech.windows import PER_FRAME, ROWS


@dataclass(frozen=True)
class Speech:
    """How the original hears."""

    window: float = 0.025
    """Seconds of speech behind one row, which begins with them."""
    preemphasis: float = 0.97
    """Share of each sample that is taken off the next one."""
    transform: int = 512
    """Samples of the Fourier transform; no taper."""
    bands: int = 26
    """Triangular bands, even on HTK's mel scale, with corners on whole bins."""
    lifter: int = 22
    """Of the sine that lifts the higher coefficients."""
    silence: float = 0.12
    """Seconds of digital silence before and after the speech, so that the first frame's window is centred on it."""


def mfcc(samples_N: NDArray[np.float64], speech: Speech) -> NDArray[np.float64]:
    """MFCC rows (T, 13) at 100 Hz of 16 kHz mono speech in [-1, 1]; row t covers the samples from 160 t on.

    Column 0 is the logarithm of the energy. The last rows are filled up with silence.
    """
    length = round(speech.window * RATE)
    rows = 1 + max(0, -(-(len(samples_N) - length) // HOP))
    emphasized = samples_N.copy()
    emphasized[1:] -= speech.preemphasis * samples_N[:-1]
    padded = np.pad(emphasized, (0, max(0, (rows - 1) * HOP + length - len(emphasized))))
    power = np.abs(np.fft.rfft(sliding_window_view(padded, length)[::HOP][:rows], speech.transform)) ** 2
    power /= speech.transform
    coefficients = dct(_log(power @ _bands(speech).T), norm="ortho", axis=1)[:, :COEFFICIENTS]
    coefficients *= 1 + speech.lifter / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / speech.lifter)
    coefficients[:, 0] = _log(power.sum(axis=1))
    return np.asarray(coefficients)


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.where(values == 0, np.finfo(np.float64).eps, values)))


def _bands(speech: Speech) -> NDArray[np.float64]:
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, speech.bands + 2) / 2595) - 1)
    corners = np.floor((speech.transform + 1) * hertz / RATE)
    bins = np.arange(speech.transform // 2 + 1)
    return np.stack([np.interp(bins, corners[band : band + 3], [0, 1, 0]) for band in range(speech.bands)])


def stream_windows(
    samples_N: NDArray[np.int16], frames: int, speech: Speech, chunk: int
) -> Iterator[NDArray[np.float32]]:
    """The windows of `frames` video frames in chunks (T, 28, 12) of at most `chunk`.

    Frame k's is rows 4k to 4k + 28 of speech and silence around it, without coefficient 0. Each chunk reads only its
    own samples, so `samples_N` may be a memory map.
    """
    silent = round(speech.silence * RATE / HOP)
    length = round(speech.window * RATE)
    for start in range(0, frames, chunk):
        stop = min(start + chunk, frames)
        first, last = start * PER_FRAME - silent, (stop - 1) * PER_FRAME + ROWS - silent
        # One row more, since the pre-emphasis of the first one's first sample asks for the sample before it.
        rows = mfcc(_cut(samples_N, (first - 1) * HOP, (last - 1) * HOP + length), speech)[1:, 1:]
        yield sliding_window_view(rows, ROWS, axis=0)[::PER_FRAME].transpose(0, 2, 1).astype(np.float32)


def _cut(samples_N: NDArray[np.int16], begin: int, end: int) -> NDArray[np.float64]:
    """Samples ``begin`` to ``end`` in [-1, 1], silence where there are none."""
    cut = np.zeros(end - begin)
    low, high = max(begin, 0), min(end, len(samples_N))
    if low < high:
        cut[low - begin : high - begin] = samples_N[low:high] / 32768.0
    return cut
