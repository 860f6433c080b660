"""Log-mel bands and mel-frequency cepstral coefficients (paper, section 4.1)."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.runtime.arrays import to_grid
from pipeline.runtime.clock import RATE

COEFFICIENTS = 13
"""Numbers of an MFCC row. The first is the level, which the networks drop."""
BANDS = 26
"""Mel bands."""
EMBEDDING_BANDS = 32
"""Mel bands of a row for `pipeline.models.speech_embedding`."""
HOP = 160
"""Samples from one row to the next: 100 rows per second, 4 per video frame."""
STEP = 2.0**-10
"""Rows are multiples of it."""


def mfcc(
    samples_N: NDArray[np.int16] | NDArray[np.float64], window: float = 0.025, hop: int = HOP
) -> NDArray[np.float32]:
    """MFCC rows (T, 13) of 16 kHz mono speech, T = N // ``hop``. Samples are int16, or float64 in [-1, 1].

    Row t covers ``window`` seconds centred at (t + 0.5) / 100 s. Column 0 is the level. There are 26 mel bands, a
    natural logarithm with a floor of one quantisation step, and an orthonormal DCT. Rows are rounded to a 1024th, so
    that every processor gives the same bytes.
    """
    from scipy.fft import dct  # imported here, like librosa below: machines that train networks need neither

    return _rounded(dct(_logarithms(samples_N, window, hop), norm="ortho", axis=1)[:, :COEFFICIENTS])


def log_mel(
    samples_N: NDArray[np.int16] | NDArray[np.float64], window: float = 0.025, hop: int = HOP
) -> NDArray[np.float32]:
    """Log-mel rows (T, 27): the level, which is the mean of the bands, and the 26 bands; otherwise as `mfcc`."""
    return _with_level(_logarithms(samples_N, window, hop))


def embedding_mel(
    samples_N: NDArray[np.int16] | NDArray[np.float64], window: float = 0.025, hop: int = HOP
) -> NDArray[np.float32]:
    """Log-mel rows (T, 33) as the speech embedding was trained on: the level, and 32 bands from 60 to 3,800 Hz.

    A band is 2 + log10 of the power of samples from -32,768 to 32,767; the level is the mean of the bands. Otherwise as
    `mfcc`.
    """
    bands_RC = _logarithms(samples_N, window, hop, bands=EMBEDDING_BANDS, lowest=60.0, highest=3800.0)
    return _with_level(2 + (bands_RC + 30 * np.log(2)) / np.log(10))


def reach(window: float) -> int:
    """Samples on either side of its own ``HOP`` that a row may depend on."""
    return _transform(window) // 2


def _with_level(bands_RC: NDArray[np.float64]) -> NDArray[np.float32]:
    return _rounded(np.concatenate([bands_RC.mean(axis=1, keepdims=True), bands_RC], axis=1))


def _logarithms(
    samples_N: NDArray[np.int16] | NDArray[np.float64],
    window: float,
    hop: int,
    bands: int = BANDS,
    lowest: float = 0.0,
    highest: float = RATE / 2,
) -> NDArray[np.float64]:
    """Natural logarithms of the power in mel bands (T, ``bands``) from ``lowest`` to ``highest`` hertz."""
    rows, transform = len(samples_N) // hop, _transform(window)
    if rows == 0:
        return np.zeros((0, bands))
    wave_N = samples_N / 32768.0 if samples_N.dtype == np.int16 else samples_N
    padded = np.pad(wave_N, ((transform - hop) // 2, transform))
    parts = sliding_window_view(padded, transform)[::hop][:rows] * _hann(window)
    # Not @: after a product, the threads of NumPy's BLAS keep cores busy that a network needs.
    power_RB = np.einsum("rf,bf->rb", np.abs(np.fft.rfft(parts)) ** 2, _mel(transform, bands, lowest, highest))
    return np.asarray(np.log(power_RB + 1e-8))


def _transform(window: float) -> int:
    return 512 if round(window * RATE) <= 512 else 2048


@cache
def _hann(window: float) -> NDArray[np.float64]:
    """A periodic Hann window, padded to the transform's length."""
    length, transform = round(window * RATE), _transform(window)
    before = (transform - length) // 2
    return np.pad(np.hanning(length + 1)[:-1], (before, transform - length - before))


@cache
def _mel(transform: int, bands: int, lowest: float, highest: float) -> NDArray[np.float64]:
    """Slaney's mel bands (``bands``, F)."""
    from librosa.filters import mel

    return np.asarray(mel(sr=RATE, n_fft=transform, n_mels=bands, fmin=lowest, fmax=highest, dtype=np.float64))


def _rounded(rows_RC: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(to_grid(rows_RC, STEP), dtype=np.float32)
