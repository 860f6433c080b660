"""Windows of speech of any length, as it arrives, in constant memory."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.clock import frames_of
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import PER_FRAME, SpeechFeatures, windows
from pipeline.speech.mel import HOP, reach
from pipeline.speech.normalisation import Running, Statistics
from pipeline.speech.sound import Sound

CHUNK = 16
"""Frames of a chunk: enough to use the processor well, at a delay of 0.64 s for live speech."""
_COUNTED_ROWS = 3000  # rows computed at a time while the statistics of a recording are counted


def stream_windows(
    sound: Sound, features: SpeechFeatures, frames: int | None = None, chunk: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """The windows of the video frames in chunks (T, W, C), the same as `windows` of all speech.

    Chunks have ``chunk`` frames; the last may be shorter. A chunk comes 0.14 s after its last frame with rows of 25 ms,
    and 0.30 s with `embedding_mel`.
    When rows are normalised by the whole recording, all of it is read first. Without ``frames`` there are as many as
    the sound lasts.
    """
    margin = -(-reach(features.window) // HOP)
    normalise = _normaliser(sound, features, margin)
    held_RC, first = np.zeros((0, features.coefficients), np.float32), 0  # normalised rows, the number of the first one
    start = 0
    while frames is None or start < frames:
        stop = start + chunk
        samples = sound.until((stop * PER_FRAME + features.after + margin) * HOP)
        stop = min(stop, frames_of(samples) if frames is None else frames)
        if stop <= start:
            return
        if not (rows := samples // HOP):
            raise PipelineError("The speech holds less sound than one video frame lasts. Give at least 0.04 seconds.")
        following = first + len(held_RC)
        last = min(rows, stop * PER_FRAME + features.after)
        if last > following:
            held_RC = np.concatenate([held_RC, normalise(_rows(sound, following, last, features, margin))])
        offset = start - first // PER_FRAME  # in frames from the first held row, which begins a frame
        yield windows(held_RC, offset + stop - start)[offset:]
        start = stop
        keep = max(0, min(start * PER_FRAME, rows) - features.rows)
        keep -= keep % PER_FRAME
        held_RC, first = held_RC[keep - first :], keep
        sound.forget((first + len(held_RC) - margin) * HOP)


def _normaliser(
    sound: Sound, features: SpeechFeatures, margin: int
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """A function that normalises rows, called with each row once and in order."""
    if features.normalise == "clip":
        statistics, rows = Statistics(features.coefficients), sound.until() // HOP
        for first in range(0, rows, _COUNTED_ROWS):
            statistics.add(_rows(sound, first, min(first + _COUNTED_ROWS, rows), features, margin))
        return statistics.normalise
    return Running(features.initial).normalise if features.initial is not None else np.asarray


def _rows(sound: Sound, first: int, last: int, features: SpeechFeatures, margin: int) -> NDArray[np.float32]:
    """Rows ``first`` to ``last``, the same as from all speech at once."""
    begin = max(0, first - margin)
    rows_RC = features.compute(sound.cut(begin * HOP, (last + margin) * HOP))
    return rows_RC[first - begin : last - begin]
