"""The speech features that AT-net receives (paper, section 4.1): rows at 100 Hz, and a window of rows per frame."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.config.params import Normalisation, SpeechKind
from pipeline.runtime.clock import RATE, SAMPLES_PER_FRAME
from pipeline.speech.mel import BANDS, COEFFICIENTS, EMBEDDING_BANDS, HOP, embedding_mel, log_mel, mfcc
from pipeline.speech.normalisation import InitialStatistics, Running, normalised

PER_FRAME = SAMPLES_PER_FRAME // HOP
"""Rows per video frame: 100 Hz over 25 fps."""


class Kind(NamedTuple):
    """A kind of speech features. No two kinds have rows of the same length, so rows tell their kind."""

    compute: Callable[..., NDArray[np.float32]]
    """The function that computes rows."""
    bands: int
    """Mel bands."""
    coefficients: int
    """Numbers of a row."""
    rows: int
    """Rows of a frame's window."""


KINDS = {
    "mfcc": Kind(mfcc, BANDS, COEFFICIENTS, 28),
    "log_mel": Kind(log_mel, BANDS, BANDS + 1, 28),
    "embedding_mel": Kind(embedding_mel, EMBEDDING_BANDS, EMBEDDING_BANDS + 1, 60),
}


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
    rows: int = KINDS["mfcc"].rows
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
        _, bands, coefficients, rows = KINDS[kind]
        return cls(
            window,
            kind,
            bands=bands,
            coefficients=coefficients,
            rows=rows,
            normalise=normalise,
            initial=initial,
        )

    @property
    def after(self) -> int:
        """Rows of a window after its frame, and before it."""
        return (self.rows - PER_FRAME) // 2

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
        return KINDS[self.kind].compute(samples_N, self.window, hop)

    def finish(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise all rows of a recording from `compute`."""
        if self.initial is not None:
            return Running(self.initial).normalise(rows_RC)
        return normalised(rows_RC) if self.normalise == "clip" else rows_RC


def windows(rows_RC: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The windows (frames, W, C - 1) of ``frames`` video frames, centred on them, without column 0.

    W is 28, or 60 for `embedding_mel`. Frame k lasts from row 4k to row 4k + 4; of the other rows, half come before and
    half after it. Beyond the ends of the speech, the first and the last row are repeated. Raises ValueError for speech
    without a row.
    """
    if len(rows_RC) == 0:
        raise ValueError("there is no speech to cut windows from")
    length = next(kind.rows for kind in KINDS.values() if kind.coefficients == rows_RC.shape[1])
    beside = (length - PER_FRAME) // 2
    missing = max(0, frames * PER_FRAME + beside - len(rows_RC))
    padded = np.pad(rows_RC[:, 1:], ((beside, missing), (0, 0)), mode="edge")
    cut = sliding_window_view(padded, length, axis=0)[: frames * PER_FRAME : PER_FRAME]
    return cut.transpose(0, 2, 1).copy()  # not a view, which would be read-only
