"""Sound from a pipe, as it arrives.

libav's own WAV reader waits for two seconds of speech, because it might not be PCM. Here the header is read first.
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

from pipeline.media.channels import StreamChannel
from pipeline.media.errors import MediaError, library_errors
from pipeline.media.pipe_io import PipeSource, read_some
from pipeline.media.resample import resampled
from pipeline.runtime.clock import RATE

_FORMATS = {
    (1, 8): "u8", (1, 16): "s16le", (1, 24): "s24le", (1, 32): "s32le", (3, 32): "f32le", (3, 64): "f64le",
    (6, 8): "alaw", (7, 8): "mulaw",
}  # fmt: skip
"""libav's sample formats by a WAV's format tag and bits per sample."""
_EXTENSIBLE = 0xFFFE  # the format tag of headers that give the true tag later
_UNKNOWN_LENGTH = 0x7FFF0000  # programs that do not know the length write 0, or this many bytes and more
_BUFFER = 1024  # bytes that libav reads at a time
_ADVICE = "Give a sound file, or pipe a WAV, such as `ffmpeg -i FILE -f wav -` writes."


def read_pipe(pipe: RawIOBase, name: str = "standard input") -> Iterator[NDArray[np.int16]]:
    """Read a WAV of any rate and number of channels, as mono 16 kHz blocks that come as the sound arrives.

    The header need not know the length. ``pipe`` must be unbuffered, so that nothing waits for a buffer to fill.
    Raises MediaError when the pipe holds no WAV.
    """
    sample_format, rate, layout, length = _header(pipe, name)
    source = PipeSource(pipe, length)
    options = {"sample_rate": str(rate), "ch_layout": layout}
    with library_errors(name, "its sound cannot be read", _ADVICE):
        with av.open(source, format=sample_format, options=options, buffer_size=_BUFFER) as container:
            for block in resampled(_timed(container), RATE, Fraction(0), StreamChannel()):
                source.raise_pending()
                yield block
        source.raise_pending()


def _header(pipe: RawIOBase, name: str) -> tuple[str, int, str, int]:
    """Read up to the samples: libav's sample format, the rate, libav's layout, and the samples' number of bytes."""
    if (begin := _exactly(pipe, 12))[:4] not in (b"RIFF", b"RF64") or begin[8:] != b"WAVE":
        raise MediaError(name, "not a WAV" if begin else "empty", _ADVICE)
    wave_format, long_length = b"", sys.maxsize
    while len(head := _exactly(pipe, 8)) == 8:
        (length,) = struct.unpack("<I", head[4:])
        if head[:4] == b"data" and len(wave_format) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", wave_format[:16])
            layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}C")  # as libav's own WAV reader chooses it
            if tag == _EXTENSIBLE and len(wave_format) >= 26:
                speakers, tag = struct.unpack("<IH", wave_format[20:26])  # one bit for each loudspeaker
                layout = hex(speakers) if speakers.bit_count() == channels else layout
            if not rate or not channels:
                raise MediaError(name, "a WAV without a rate or channels in its header", _ADVICE)
            if (tag, bits) not in _FORMATS:
                raise MediaError(name, f"a WAV of another kind than PCM (tag {tag}, {bits} bits)", _ADVICE)
            return _FORMATS[tag, bits], rate, layout, length if 0 < length < _UNKNOWN_LENGTH else long_length
        content = _exactly(pipe, length + length % 2)
        if head[:4] == b"ds64" and len(content) >= 16:  # RF64's 64-bit lengths: of the file, then of the samples
            long_length = struct.unpack("<Q", content[8:16])[0] or sys.maxsize
        wave_format = content if head[:4] == b"fmt " else wave_format
    raise MediaError(name, "a WAV that breaks off before its sound", _ADVICE)


def _exactly(pipe: RawIOBase, count: int) -> bytes:
    """``count`` bytes, or fewer when the pipe ends."""
    content = b""
    while len(content) < count and (more := read_some(pipe, min(count - len(content), 1 << 16))):
        content += more
    return content


def _timed(container: Any) -> Iterator[tuple[Fraction, Any]]:
    """Frames with their time, counted in samples: a pipe has no time stamps."""
    samples = 0
    for frame in container.decode(audio=0):
        yield Fraction(samples, frame.sample_rate), frame
        samples += frame.samples
