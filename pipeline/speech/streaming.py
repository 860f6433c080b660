"""Speech windows of any length of speech in constant memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.features import SpeechFeatures
from pipeline.speech.mfcc import HOP
from pipeline.speech.normalisation import Statistics
from pipeline.speech.windows import PER_FRAME, ROWS, windows

_MARGIN_ROWS = 20
"""Rows computed beyond a chunk on either side: more than half of the longest window of a row and of a speech window."""
_COUNTED_ROWS = 3000
"""Rows computed at a time where all are counted before the first is given."""


def stream_windows(
    samples_N: NDArray[np.int16], frames: int, features: SpeechFeatures, chunk: int = 32
) -> Iterator[NDArray[np.float32]]:
    """The windows of ``frames`` video frames, as of all the speech at once, in chunks (T, 28, C) of at most ``chunk``.

    ``samples_N`` may be a memory map: each chunk reads only its own samples, after a first reading of all of them where
    rows are normalised by the recording.
    """
    rows = len(samples_N) // HOP
    statistics = None
    if features.normalise == "clip":
        statistics = Statistics(features.coefficients)
        for first in range(0, rows, _COUNTED_ROWS):
            statistics.add(_rows(samples_N, first, min(first + _COUNTED_ROWS, rows), features))
    for start in range(0, frames, chunk):
        stop = min(start + chunk, frames)
        first = max(0, min(start * PER_FRAME, rows) - ROWS)
        last = min(rows, stop * PER_FRAME + ROWS)
        cut = _rows(samples_N, first, last, features)
        if statistics:
            cut = statistics.normalise(cut)
        # Frames are counted from the first row that was cut, which lies on a frame's border.
        offset = start - first // PER_FRAME
        yield windows(cut, offset + stop - start)[offset:]


def _rows(samples_N: NDArray[np.int16], first: int, last: int, features: SpeechFeatures) -> NDArray[np.float32]:
    """Rows ``first`` to ``last``, as if all the speech had been transformed."""
    begin = max(0, first - _MARGIN_ROWS)
    end = last + _MARGIN_ROWS
    some = features.compute(np.asarray(samples_N[begin * HOP : end * HOP]))
    return some[first - begin : last - begin]
