"""What AT-net hears, and the numbers that it is computed by, as a bundle records them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Normalisation, SpeechKind
from pipeline.runtime.clock import RATE
from pipeline.speech.mfcc import BANDS, COEFFICIENTS, HOP, log_mel, mfcc
from pipeline.speech.windows import ROWS

KINDS = {"mfcc": (mfcc, COEFFICIENTS), "log_mel": (log_mel, BANDS + 1)}
"""How rows are computed, and how many numbers a row has."""


@dataclass(frozen=True)
class SpeechFeatures:
    """What AT-net hears: rows of speech (paper, section 4.1)."""

    window: float
    """Seconds of speech behind one row."""
    kind: SpeechKind = "mfcc"
    """How a row is computed (`pipeline.speech.mfcc`)."""
    rate: int = RATE
    """Samples per second."""
    hop: int = HOP
    """Samples from one row to the next."""
    bands: int = BANDS
    """Mel bands."""
    coefficients: int = COEFFICIENTS
    """Numbers per row; the networks drop the first."""
    rows: int = ROWS
    """Rows of the window that belongs to a video frame."""
    normalise: Normalisation = "none"
    """Over what rows are normalised (`pipeline.speech.normalisation`)."""

    @classmethod
    def of(cls, window: float, kind: SpeechKind = "mfcc", normalise: Normalisation = "none") -> "SpeechFeatures":
        """Those that this version computes by the params of these names."""
        return cls(window, kind, coefficients=KINDS[kind][1], normalise=normalise)

    def compute(self, samples_N: NDArray[np.int16] | NDArray[np.float64], hop: int = HOP) -> NDArray[np.float32]:
        """Rows (R, C) of 16 kHz mono speech, before they are normalised; `hop` as in `pipeline.speech.mfcc`."""
        return KINDS[self.kind][0](samples_N, self.window, hop)
