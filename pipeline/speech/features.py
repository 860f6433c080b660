"""What AT-net hears, and the numbers that it is computed by, as a bundle records them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import Normalisation, SpeechKind
from pipeline.runtime.clock import RATE
from pipeline.speech.mfcc import BANDS, COEFFICIENTS, HOP, log_mel, mfcc
from pipeline.speech.normalisation import InitialStatistics, Running, normalised
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
    initial: InitialStatistics | None = None
    """Where the running statistics of `adaptive` start; None with any other normalisation."""

    @classmethod
    def of(
        cls,
        window: float,
        kind: SpeechKind = "mfcc",
        normalise: Normalisation = "none",
        initial: InitialStatistics | None = None,
    ) -> "SpeechFeatures":
        """Those that this version computes by the params of these names, with ``initial`` for `adaptive` alone."""
        assert (normalise == "adaptive") == (initial is not None)
        return cls(window, kind, coefficients=KINDS[kind][1], normalise=normalise, initial=initial)

    def record(self) -> dict[str, Any]:
        """As JSON data, from which `read` makes the same features; without ``initial`` where there is none."""
        return {name: value for name, value in asdict(self).items() if name != "initial" or value is not None}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "SpeechFeatures":
        """From what `record` made. Raises KeyError, TypeError or ValueError for the record of another version."""
        initial = record.get("initial")
        return cls(**{**record, "initial": None if initial is None else InitialStatistics.read(initial)})

    def compute(self, samples_N: NDArray[np.int16] | NDArray[np.float64], hop: int = HOP) -> NDArray[np.float32]:
        """Rows (R, C) of 16 kHz mono speech, before they are normalised; `hop` as in `pipeline.speech.mfcc`."""
        return KINDS[self.kind][0](samples_N, self.window, hop)

    def finish(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """All rows of a recording, as `compute` made them, normalised."""
        if self.initial is not None:
            return Running(self.initial).normalise(rows_RC)
        return normalised(rows_RC) if self.normalise == "clip" else rows_RC
