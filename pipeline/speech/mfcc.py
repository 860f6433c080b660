"""Mel-frequency cepstral coefficients (paper, section 4.1)."""

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


def mfcc(samples_N: NDArray[np.int16], window: float = 0.025) -> NDArray[np.float32]:
    """MFCC rows (T, 13) float32 at 100 Hz of 16 kHz mono speech, T = N // 160.

    Row t covers ``window`` seconds centred at (t + 0.5) / 100 s. Column 0 is the level, which the networks drop. 26 mel
    bands, natural logarithm, orthonormal DCT; a floor of one quantisation step keeps digital silence finite.

    Computed in float64 and rounded to a 1024th, so that every processor gives the same bytes: libraries for Fourier
    transforms and matrix products differ by some 1e-13 between processors, and coefficients by about 10 between sounds.
    """
    import librosa

    length = round(window * RATE)
    rows = len(samples_N) // HOP
    if rows == 0:
        return np.zeros((0, COEFFICIENTS), np.float32)
    transform = 512 if length <= 512 else 2048
    padded = np.pad(samples_N.astype(np.float64) / 32768.0, ((transform - HOP) // 2, transform))
    power = librosa.feature.melspectrogram(
        y=padded,
        sr=RATE,
        n_fft=transform,
        win_length=length,
        hop_length=HOP,
        center=False,
        n_mels=BANDS,
        dtype=np.float64,
    )
    out = librosa.feature.mfcc(S=np.log(power + 1e-8), n_mfcc=COEFFICIENTS)
    return np.ascontiguousarray(to_grid(out.T[:rows], STEP), dtype=np.float32)
