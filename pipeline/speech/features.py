"""The speech features that AT-net receives (paper, section 4.1): rows at 100 Hz, and a window of rows per frame."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.config.params import Normalisation, SpeechKind
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME
from pipeline.speech.mel import BANDS, COEFFICIENTS, HOP, log_mel, mfcc
from pipeline.speech.normalisation import InitialStatistics, Running, normalised

ROWS = 28
"""Rows of a window: 0.28 s."""
PER_FRAME = SAMPLES_PER_FRAME // HOP
"""Rows per video frame: 100 Hz over 25 fps."""
AFTER = (ROWS - PER_FRAME) // 2
"""Rows of a window after its frame, and before it."""

KINDS = {"mfcc": (mfcc, COEFFICIENTS), "log_mel": (log_mel, BANDS + 1)}
"""The function that computes rows, and the numbers of a row."""


@dataclass(frozen=True)
class SpeechFeatures:
    """How rows of speech are computed, as a bundle records it."""

    window: float
    """Seconds of speech behind one row."""
    kind: SpeechKind = "mfcc"
    """How a row is computed (`pipeline.speech.mel`)."""
    rate: int = RATE
    """Samples per second."""
    hop: int = HOP
    """Samples from one row to the next."""
    bands: int = BANDS
    """Mel bands."""
    coefficients: int = COEFFICIENTS
    """Numbers per row. The networks drop the first."""
    rows: int = ROWS
    """Rows of a frame's window."""
    normalise: Normalisation = "none"
    """The rows over which each row is normalised (`pipeline.speech.normalisation`)."""
    initial: InitialStatistics | None = None
    """The running statistics at the start of a recording, for `adaptive` alone."""

    @classmethod
    def of(
        cls,
        window: float,
        kind: SpeechKind = "mfcc",
        normalise: Normalisation = "none",
        initial: InitialStatistics | None = None,
    ) -> "SpeechFeatures":
        """The features for the parameters of these names. Only `adaptive` has ``initial``."""
        assert (normalise == "adaptive") == (initial is not None)
        return cls(window, kind, coefficients=KINDS[kind][1], normalise=normalise, initial=initial)

    def record(self) -> dict[str, Any]:
        """As JSON data for `read`; without ``initial`` when it is None."""
        return {name: value for name, value in asdict(self).items() if name != "initial" or value is not None}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "SpeechFeatures":
        """From `record`. Raises KeyError, TypeError or ValueError for the record of another version."""
        initial = record.get("initial")
        return cls(**{**record, "initial": None if initial is None else InitialStatistics.read(initial)})

    def compute(self, samples_N: NDArray[np.int16] | NDArray[np.float64], hop: int = HOP) -> NDArray[np.float32]:
        """Rows (R, C) of 16 kHz mono speech, not normalised. ``hop`` is as in `pipeline.speech.mel`."""
        return KINDS[self.kind][0](samples_N, self.window, hop)

    def finish(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise all rows of a recording from `compute`."""
        if self.initial is not None:
            return Running(self.initial).normalise(rows_RC)
        return normalised(rows_RC) if self.normalise == "clip" else rows_RC


def windows(rows_RC: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The windows (frames, 28, C - 1) of ``frames`` video frames, centred on them, without column 0.

    Frame k lasts from row 4k to row 4k + 4, and its window from row 4k - 12 to row 4k + 16. Beyond the ends of the
    speech, the first and the last row are repeated. Raises ValueError for speech without a row.
    """
    if len(rows_RC) == 0:
        raise ValueError("there is no speech to cut windows from")
    missing = max(0, frames * PER_FRAME + AFTER - len(rows_RC))
    padded = np.pad(rows_RC[:, 1:], ((AFTER, missing), (0, 0)), mode="edge")
    cut = sliding_window_view(padded, ROWS, axis=0)[: frames * PER_FRAME : PER_FRAME]
    return cut.transpose(0, 2, 1).copy()  # not a view, which would be read-only
