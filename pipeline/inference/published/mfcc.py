"""The original's MFCC and speech windows: those of the package python_speech_features, over speech put in silence."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.runtime.clock import RATE
from pipeline.speech.classic_mfcc import ClassicMfcc, classic_mfcc
from pipeline.speech.mfcc import HOP
from pipeline.speech.windows import PER_FRAME, ROWS


@dataclass(frozen=True)
class Speech(ClassicMfcc):
    """How the original hears."""

    silence: float = 0.12
    """Seconds of digital silence before and after the speech, so that the first frame's window is centred on it."""


def stream_windows(
    samples_N: NDArray[np.int16], frames: int, speech: Speech, chunk: int
) -> Iterator[NDArray[np.float32]]:
    """The windows of `frames` video frames in chunks (T, 28, 12) of at most `chunk`.

    Frame k's is rows 4k to 4k + 28 of speech and silence around it, without coefficient 0. Each chunk reads only its
    own samples, so `samples_N` may be a memory map.
    """
    silent = round(speech.silence * RATE / HOP)
    length = round(speech.window * RATE)
    for start in range(0, frames, chunk):
        stop = min(start + chunk, frames)
        first, last = start * PER_FRAME - silent, (stop - 1) * PER_FRAME + ROWS - silent
        # One row more, since the pre-emphasis of the first one's first sample asks for the sample before it.
        rows = classic_mfcc(_cut(samples_N, (first - 1) * HOP, (last - 1) * HOP + length), speech)[1:, 1:]
        yield sliding_window_view(rows, ROWS, axis=0)[::PER_FRAME].transpose(0, 2, 1).astype(np.float32)


def _cut(samples_N: NDArray[np.int16], begin: int, end: int) -> NDArray[np.float64]:
    """Samples ``begin`` to ``end`` in [-1, 1], silence where there are none."""
    cut = np.zeros(end - begin)
    low, high = max(begin, 0), min(end, len(samples_N))
    if low < high:
        cut[low - begin : high - begin] = samples_N[low:high] / 32768.0
    return cut
