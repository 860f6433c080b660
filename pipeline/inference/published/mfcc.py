"""The original's MFCC and speech windows: those of the package python_speech_features, over speech put in silence."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.runtime.clock import RATE, frames_of
from pipeline.speech.classic_mfcc import ClassicMfcc, classic_mfcc
from pipeline.speech.mfcc import HOP
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK
from pipeline.speech.windows import PER_FRAME, ROWS


@dataclass(frozen=True)
class Speech(ClassicMfcc):
    """How the original hears."""

    silence: float = 0.12
    """Seconds of digital silence before and after the speech, so that the first frame's window is centred on it."""


def stream_windows(
    sound: Sound, speech: Speech, frames: int | None = None, chunk: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """The windows of the video frames that the sound lasts, or of `frames`, in chunks (T, 28, 12) of at most `chunk`.

    Frame k's is rows 4k to 4k + 28 of speech and silence around it, without coefficient 0. A chunk comes as soon as its
    last window is heard.
    """
    silent = round(speech.silence * RATE / HOP)
    length = round(speech.window * RATE)

    def end_of(stop: int) -> int:
        return ((stop - 1) * PER_FRAME + ROWS - silent - 1) * HOP + length

    start = 0
    while frames is None or start < frames:
        stop = start + chunk
        heard = sound.until(end_of(stop))
        stop = min(stop, frames_of(heard) if frames is None else frames)
        if stop <= start:
            return
        # One row more, since the pre-emphasis of the first one's first sample asks for the sample before it.
        begin = (start * PER_FRAME - silent - 1) * HOP
        rows = classic_mfcc(_cut(sound, begin, end_of(stop)), speech)[1:, 1:]
        yield sliding_window_view(rows, ROWS, axis=0)[::PER_FRAME].transpose(0, 2, 1).astype(np.float32)
        sound.forget(begin)
        start = stop


def _cut(sound: Sound, begin: int, end: int) -> NDArray[np.float64]:
    """Samples ``begin`` to ``end`` in [-1, 1], silence where there are none."""
    heard = sound.cut(max(begin, 0), max(end, 0)) / 32768.0
    before = min(max(0, -begin), end - begin)
    return np.pad(heard, (before, end - begin - before - len(heard)))
