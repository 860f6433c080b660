"""Speech windows of any length of speech, as it comes, in constant memory."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.clock import frames_of
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.mfcc import HOP, reach
from pipeline.speech.normalisation import Running, Statistics
from pipeline.speech.sound import Sound
from pipeline.speech.windows import AFTER, PER_FRAME, ROWS, windows

CHUNK = 16
"""Frames at a time: enough to keep the processor busy, and 0.64 s to wait for where somebody listens."""
_COUNTED_ROWS = 3000
"""Rows computed at a time where all are counted before the first is given."""


def stream_windows(
    sound: Sound, features: SpeechFeatures, frames: int | None = None, chunk: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """The windows of the video frames that the sound lasts, or of ``frames``, as of all the speech at once, in chunks
    (T, 28, C) of ``chunk``, of which the last may be shorter.

    A chunk comes as soon as its last window is heard, 0.14 s after its last frame with windows of 25 ms; where rows are
    normalised by the recording, after all of it, which then is kept.
    """
    margin = -(-reach(features.window) // HOP)
    normalise = _normaliser(sound, features, margin)
    held_RC, first = np.zeros((0, features.coefficients), np.float32), 0  # normalised rows, and the number of the first
    start = 0
    while frames is None or start < frames:
        stop = start + chunk
        heard = sound.until((stop * PER_FRAME + AFTER + margin) * HOP)
        stop = min(stop, frames_of(heard) if frames is None else frames)
        if stop <= start:
            return
        if not (rows := heard // HOP):
            raise PipelineError("The speech holds less sound than one video frame lasts. Give at least 0.04 seconds.")
        following = first + len(held_RC)
        last = min(rows, stop * PER_FRAME + AFTER)
        if last > following:
            held_RC = np.concatenate([held_RC, normalise(_rows(sound, following, last, features, margin))])
        # Frames are counted from the first row that is held, which lies on a frame's border.
        offset = start - first // PER_FRAME
        yield windows(held_RC, offset + stop - start)[offset:]
        start = stop
        keep = max(0, min(start * PER_FRAME, rows) - ROWS)
        keep -= keep % PER_FRAME
        held_RC, first = held_RC[keep - first :], keep
        sound.forget((first + len(held_RC) - margin) * HOP)


def _normaliser(
    sound: Sound, features: SpeechFeatures, margin: int
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """What normalises rows that come in order, each once."""
    if features.normalise == "clip":
        return _counted(sound, features, margin).normalise
    return Running(features.initial).normalise if features.initial is not None else np.asarray


def _counted(sound: Sound, features: SpeechFeatures, margin: int) -> Statistics:
    statistics, rows = Statistics(features.coefficients), sound.until() // HOP
    for first in range(0, rows, _COUNTED_ROWS):
        statistics.add(_rows(sound, first, min(first + _COUNTED_ROWS, rows), features, margin))
    return statistics


def _rows(sound: Sound, first: int, last: int, features: SpeechFeatures, margin: int) -> NDArray[np.float32]:
    """Rows ``first`` to ``last``, as if all the speech had been transformed."""
    begin = max(0, first - margin)
    some = features.compute(sound.cut(begin * HOP, (last + margin) * HOP))
    return some[first - begin : last - begin]
