"""Sound from a pipe, as it comes."""

from collections.abc import Iterator
from fractions import Fraction
from io import RawIOBase
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from pipeline.media.errors import MediaError
from pipeline.media.mono import resampled
from pipeline.runtime.clock import RATE

_PROBED = 4096  # bytes read before the first sample is given: a WAV's header says all there is to know


def read_pipe(pipe: RawIOBase, name: str = "standard input") -> Iterator[NDArray[np.int16]]:
    """The sound of a WAV of any rate and channels, mono at 16 kHz in blocks as they come; its header need not know how
    long it is.

    ``pipe`` is unbuffered, so that nobody waits for a buffer to fill. Raises MediaError where it is not a WAV.
    """
    try:
        options = {"probesize": str(_PROBED), "analyzeduration": "0"}
        with av.open(_Readable(pipe), format="wav", options=options, buffer_size=_PROBED) as container:
            yield from resampled(_timed(container), RATE, Fraction(0), {})
    except (OSError, av.error.FFmpegError, IndexError) as error:
        words = str(getattr(error, "strerror", None) or type(error).__name__).lower()
        raise MediaError(
            name, f"not a WAV ({words})", "Pipe a WAV, such as `ffmpeg -i FILE -f wav -` writes."
        ) from None


def _timed(container: Any) -> Iterator[tuple[Fraction, Any]]:
    """Frames with the time that the samples before them last: a pipe has no other."""
    samples = 0
    for frame in container.decode(audio=0):
        yield Fraction(samples, frame.sample_rate), frame
        samples += frame.samples


class _Readable:
    """All that libav may do with it."""

    def __init__(self, pipe: RawIOBase) -> None:
        self._pipe = pipe

    def read(self, count: int) -> bytes:
        return self._pipe.read(count) or b""
