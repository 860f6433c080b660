"""Speech for the published weights.

Sound is resampled as librosa does it, because the decoder's own resampler differs. The MFCC are those of the package
python_speech_features, computed with silence added before and after the speech.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.media import Damage
from pipeline.media.probe import sound_rate
from pipeline.media.read import read_audio, read_audio_blocks
from pipeline.runtime.clock import RATE, frames_of
from pipeline.runtime.paths import StrPath
from pipeline.speech.classic_mfcc import ClassicMfcc, classic_mfcc
from pipeline.speech.features import PER_FRAME
from pipeline.speech.mel import HOP
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK

_ROWS = 28
"""Rows of a window."""


def read_speech(path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
    """Yield all sound of a file in mono int16 blocks at 16 kHz. Raises MediaError as `read_audio_blocks`."""
    rate = sound_rate(path)
    yield from resampled(read_audio_blocks(path, rate=rate, by_itself=True, damage=damage), rate)


def read_clip_speech(path: StrPath, start: float, duration: float) -> NDArray[np.int16]:
    """Return ``round(duration * 16000)`` samples from second ``start`` of the video."""
    rate = sound_rate(path)
    blocks = resampled([read_audio(path, rate=rate, start=start, duration=duration)], rate)
    samples_N, wanted = np.concatenate(list(blocks)), round(duration * RATE)
    return np.pad(samples_N[:wanted], (0, max(0, wanted - len(samples_N))))


def resampled(blocks: Iterable[NDArray[np.int16]], rate: int) -> Iterator[NDArray[np.int16]]:
    """Resample mono blocks from ``rate`` Hz to 16 kHz with librosa's default, "soxr_hq"."""
    if rate == RATE:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield _to_int16(stream.resample_chunk(block.astype(np.float32)))
    yield _to_int16(stream.resample_chunk(np.zeros(0, np.float32), last=True))


def _to_int16(samples_N: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.clip(np.rint(samples_N), -32768, 32767).astype(np.int16)


@dataclass(frozen=True)
class SpeechRecipe(ClassicMfcc):
    """Parameters of the original's MFCC."""

    silence: float = 0.12
    """Seconds of digital silence before and after the speech. They centre the first frame's window on the frame."""


def stream_windows(
    sound: Sound, speech: SpeechRecipe, frames: int | None = None, chunk: int = CHUNK
) -> Iterator[NDArray[np.float32]]:
    """Yield the speech windows of all video frames of the sound, or of the first `frames`.

    A chunk is (T, 28, 12) with at most `chunk` windows, and comes as soon as its last window is complete. The window of
    frame k is rows 4k to 4k + 28 of the padded speech, without coefficient 0.
    """
    silent = round(speech.silence * RATE / HOP)
    length = round(speech.window * RATE)

    def end_of(stop: int) -> int:
        return ((stop - 1) * PER_FRAME + _ROWS - silent - 1) * HOP + length

    start = 0
    while frames is None or start < frames:
        stop = start + chunk
        available = sound.until(end_of(stop))
        stop = min(stop, frames_of(available) if frames is None else frames)
        if stop <= start:
            return
        # One extra row: the pre-emphasis of the first sample needs the sample before it.
        begin = (start * PER_FRAME - silent - 1) * HOP
        rows = classic_mfcc(_cut(sound, begin, end_of(stop)), speech)[1:, 1:]
        yield sliding_window_view(rows, _ROWS, axis=0)[::PER_FRAME].transpose(0, 2, 1).astype(np.float32)
        sound.forget(begin)
        start = stop


def _cut(sound: Sound, begin: int, end: int) -> NDArray[np.float64]:
    """Return samples ``begin`` to ``end`` in [-1, 1], with silence beyond both ends of the sound."""
    samples_N = sound.cut(max(begin, 0), max(end, 0)) / 32768.0
    before = min(max(0, -begin), end - begin)
    return np.pad(samples_N, (before, end - begin - before - len(samples_N)))
