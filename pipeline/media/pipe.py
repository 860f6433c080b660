"""Sound from a pipe, as it comes.

libav's own reader of WAV waits for 64 kB before it gives the first sample, two seconds of speech, since something other
than PCM might be hidden in it. So the header is read here, and libav told what follows.
"""

import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from io import RawIOBase
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.media.errors import MediaError
from pipeline.media.library import raised_by_library, words_of
from pipeline.media.mono import resampled
from pipeline.media.stream_channel import StreamChannel
from pipeline.media.waiting import read_some
from pipeline.runtime.clock import RATE

_FORMATS = {
    (1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le", (3, 32): "f32le", (3, 64): "f64le",
    (6, 8): "alaw", (7, 8): "mulaw",
}  # fmt: skip
"""libav's names of the kinds of samples, by a WAV's tag and bits."""
_EXTENSIBLE = 0xFFFE  # the tag where the true one comes later
_UNKNOWN = 0x7FFF0000  # bytes of sound from which on, or 0, a program did not know how many it would write
_BUFFER = 1024  # bytes that libav asks for at a time
_ADVICE = "Pipe a WAV, such as `ffmpeg -i FILE -f wav -` writes."


def read_pipe(pipe: RawIOBase, name: str = "standard input") -> Iterator[NDArray[np.int16]]:
    """The sound of a WAV of any rate and channels, mono at 16 kHz in blocks as they come; its header need not know how
    long it is.

    ``pipe`` is unbuffered, so that nobody waits for a buffer to fill. Raises MediaError where it is not a WAV.
    """
    kind, rate, layout, length = _header(pipe, name)
    sound = _Readable(pipe, length)
    try:
        options = {"sample_rate": str(rate), "ch_layout": layout}
        with av.open(sound, format=kind, options=options, buffer_size=_BUFFER) as container:
            for block in resampled(_timed(container), RATE, Fraction(0), StreamChannel()):
                sound.end_if_told()
                yield block
        sound.end_if_told()
    except Exception as error:
        if not isinstance(error, OSError) and not raised_by_library(error):
            raise
        raise MediaError(name, f"its sound cannot be read ({words_of(error)})", _ADVICE) from None


def _header(pipe: RawIOBase, name: str) -> tuple[str, int, str, int]:
    """libav's name of the samples, how many a second, libav's name of the channels' layout, and the bytes of samples
    that the pipe has next.
    """
    if (begin := _exactly(pipe, 12))[:4] not in (b"RIFF", b"RF64") or begin[8:] != b"WAVE":
        raise MediaError(name, "not a WAV" if begin else "empty", _ADVICE)
    about, known = b"", sys.maxsize
    while len(head := _exactly(pipe, 8)) == 8:
        (length,) = struct.unpack("<I", head[4:])
        if head[:4] == b"data" and len(about) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", about[:16])
            places = 0  # of the channels' loudspeakers, a bit each
            if tag == _EXTENSIBLE and len(about) >= 26:
                places, tag = struct.unpack("<IH", about[20:26])
            if (tag, bits) not in _FORMATS or not rate or not channels:
                raise MediaError(name, f"a WAV of another kind than PCM (tag {tag}, {bits} bits)", _ADVICE)
            return _FORMATS[tag, bits], rate, _layout(channels, places), length if 0 < length < _UNKNOWN else known
        content = _exactly(pipe, length + length % 2)
        if head[:4] == b"ds64" and len(content) >= 16:  # RF64's lengths, of all and of the sound
            known = struct.unpack("<Q", content[8:16])[0] or sys.maxsize
        about = content if head[:4] == b"fmt " else about
    raise MediaError(name, "a WAV that breaks off before its sound", _ADVICE)


def _layout(channels: int, places: int) -> str:
    """As libav's own reader of WAV has it."""
    if places.bit_count() == channels:
        return hex(places)
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}C")


def _exactly(pipe: RawIOBase, count: int) -> bytes:
    """So many bytes, or fewer where the pipe ends."""
    content = b""
    while len(content) < count and (more := read_some(pipe, min(count - len(content), 1 << 16))):
        content += more
    return content


def _timed(container: Any) -> Iterator[tuple[Fraction, Any]]:
    """Frames with the time that the samples before them last: a pipe has no other."""
    samples = 0
    for frame in container.decode(audio=0):
        yield Fraction(samples, frame.sample_rate), frame
        samples += frame.samples


class _Readable:
    """All that libav may do with it: so many bytes. What is raised within it PyAV would print, and go on."""

    def __init__(self, pipe: RawIOBase, length: int) -> None:
        self._pipe, self._left = pipe, length
        self._told: BaseException | None = None

    def read(self, count: int) -> bytes:
        if self._told:
            return b""
        try:
            content = read_some(self._pipe, min(count, self._left))
        except BaseException as error:  # a signal, most often: while a pipe is waited for is when they come
            self._told = error
            return b""
        self._left -= len(content)
        return content

    def end_if_told(self) -> None:
        """Raise what `read` was told."""
        if self._told:
            raise self._told
