"""Log-mel bands and mel-frequency cepstral coefficients (paper, section 4.1)."""

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.clock import RATE
from pipeline.runtime.rounding import to_grid

COEFFICIENTS = 13
"""Columns; the first is the level, which the networks drop."""
BANDS = 26
"""Mel bands."""
HOP = 160
"""Samples from one row to the next: 100 rows per second, 4 per video frame."""
STEP = 2.0**-10
"""Coefficients are multiples of it."""


def mfcc(
    samples_N: NDArray[np.int16] | NDArray[np.float64], window: float = 0.025, hop: int = HOP
) -> NDArray[np.float32]:
    """MFCC rows (T, 13) float32 at 100 Hz of 16 kHz mono speech, T = N // 160.

    Row t covers ``window`` seconds centred at (t + 0.5) / 100 s. Column 0 is the level, which the networks drop. 26 mel
    bands, natural logarithm, orthonormal DCT; a floor of one quantisation step keeps digital silence finite.

    Another ``hop`` makes the distance of the rows, as speech of another rate has it. Samples may be float64 in [-1, 1].

    Computed in float64 and rounded to a 1024th, so that every processor gives the same bytes: libraries for Fourier
    transforms and matrix products differ by some 1e-13 between processors, and coefficients by about 10 between sounds.
    """
    import librosa

    bands_CR = _bands(samples_N, window, hop)
    if bands_CR.shape[1] == 0:
        return np.zeros((0, COEFFICIENTS), np.float32)
    return _rounded(librosa.feature.mfcc(S=bands_CR, n_mfcc=COEFFICIENTS).T)


def log_mel(
    samples_N: NDArray[np.int16] | NDArray[np.float64], window: float = 0.025, hop: int = HOP
) -> NDArray[np.float32]:
    """Log-mel rows (T, 27): the level, which is the bands' mean, and the 26 bands; everything else as in `mfcc`."""
    bands_RC = _bands(samples_N, window, hop).T
    return _rounded(np.concatenate([bands_RC.mean(axis=1, keepdims=True), bands_RC], axis=1))


def _bands(samples_N: NDArray[np.int16] | NDArray[np.float64], window: float, hop: int) -> NDArray[np.float64]:
    """Logarithms of the power in the mel bands (26, T)."""
    length = round(window * RATE)
    rows = len(samples_N) // hop
    if rows == 0:
        return np.zeros((BANDS, 0))
    import librosa

    transform = 512 if length <= 512 else 2048
    wave_N = samples_N / 32768.0 if samples_N.dtype == np.int16 else samples_N
    padded = np.pad(wave_N, ((transform - hop) // 2, transform))
    power = librosa.feature.melspectrogram(
        y=padded,
        sr=RATE,
        n_fft=transform,
        win_length=length,
        hop_length=hop,
        center=False,
        n_mels=BANDS,
        dtype=np.float64,
    )
    return np.asarray(np.log(power[:, :rows] + 1e-8))


def _rounded(rows_RC: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(to_grid(rows_RC, STEP), dtype=np.float32)
