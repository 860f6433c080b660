"""Speech windows of any length of speech in constant memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.mfcc import HOP, mfcc
from pipeline.speech.windows import PER_FRAME, ROWS, windows

_MARGIN_ROWS = 20
"""Rows computed beyond a chunk on either side: more than half of the longest MFCC window and of a speech window."""


def stream_windows(
    samples_N: NDArray[np.int16], frames: int, window: float, chunk: int = 32
) -> Iterator[NDArray[np.float32]]:
    """What ``windows(mfcc(samples_N, window), frames)`` gives, in chunks (T, 28, 12) of at most ``chunk`` frames.

    ``samples_N`` may be a memory map: each chunk reads only its own samples.
    """
    rows = len(samples_N) // HOP
    for start in range(0, frames, chunk):
        stop = min(start + chunk, frames)
        first = max(0, min(start * PER_FRAME, rows) - ROWS)
        last = min(rows, stop * PER_FRAME + ROWS)
        cut = _rows(samples_N, first, last, window)
        # Frames are counted from the first row that was cut, which lies on a frame's border.
        offset = start - first // PER_FRAME
        yield windows(cut, offset + stop - start)[offset:]


def _rows(samples_N: NDArray[np.int16], first: int, last: int, window: float) -> NDArray[np.float32]:
    """MFCC rows ``first`` to ``last``, as if all the speech had been transformed."""
    begin = max(0, first - _MARGIN_ROWS)
    end = last + _MARGIN_ROWS
    some = mfcc(np.asarray(samples_N[begin * HOP : end * HOP]), window)
    return some[first - begin : last - begin]
