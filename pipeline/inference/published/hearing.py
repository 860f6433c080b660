"""Sound of any rate as the original hears it: resampled as librosa does, where the decoder's own resampler differs."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from pipeline.media import Damage
from pipeline.media.probe import sound_rate
from pipeline.media.read import read_audio, read_audio_blocks
from pipeline.runtime.clock import RATE
from pipeline.runtime.paths import StrPath


def hear(path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
    """The whole sound of a file as mono int16 at 16 kHz, in blocks. Raises MediaError as `read_audio_blocks`."""
    rate = sound_rate(path)
    yield from resampled(read_audio_blocks(path, rate=rate, by_itself=True, damage=damage), rate)


def hear_clip(path: StrPath, start: float, duration: float) -> NDArray[np.int16]:
    """``round(duration * 16000)`` samples from second ``start`` on the video's clock."""
    rate = sound_rate(path)
    blocks = resampled([read_audio(path, rate=rate, start=start, duration=duration)], rate)
    samples_N, wanted = np.concatenate(list(blocks)), round(duration * RATE)
    return np.pad(samples_N[:wanted], (0, max(0, wanted - len(samples_N))))


def resampled(blocks: Iterable[NDArray[np.int16]], rate: int) -> Iterator[NDArray[np.int16]]:
    """Mono blocks at ``rate`` Hz as blocks at 16 kHz: librosa's default, "soxr_hq"."""
    if rate == RATE:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield _to_int16(stream.resample_chunk(block.astype(np.float32)))
    yield _to_int16(stream.resample_chunk(np.zeros(0, np.float32), last=True))


def _to_int16(samples_N: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.clip(np.rint(samples_N), -32768, 32767).astype(np.int16)
