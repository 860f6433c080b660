"""The numbers that speech features are computed by, as a bundle records them."""

from dataclasses import dataclass

from pipeline.runtime.clock import RATE
from pipeline.speech.mfcc import BANDS, COEFFICIENTS, HOP
from pipeline.speech.windows import ROWS


@dataclass(frozen=True)
class SpeechFeatures:
    """What AT-net hears: MFCC rows (paper, section 4.1)."""

    window: float
    """Seconds of speech behind one row."""
    kind: str = "mfcc"
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
