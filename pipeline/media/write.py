"""Pictures and sound as an MP4: a file that appears complete, or a stream that is written as it goes."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from uuid import uuid4

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from pipeline.media.encode import AUDIO_BLOCK, Encoder
from pipeline.media.errors import MediaError
from pipeline.media.pipe_io import PipeSink
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import DISK

STANDARD_OUTPUT = "standard output"
"""The name of an output without a path in messages."""
_FRAGMENT = 200_000  # µs of pictures and sound in a fragment of a stream
_STREAM_FLAGS = "default_base_moof+delay_moov"  # the header waits for the first packets, which tell the start times


class VideoWriter:
    """Writes H.264 (yuv420p, BT.709) with AAC to an MP4, frame by frame, in constant memory.

    Used as a context manager::

        with VideoWriter(path, size=(128, 128), audio=samples) as video:
            for frame_HWC in frames:
                video.write(frame_HWC)

    The file appears under its name when the block ends without an exception; otherwise nothing is left. The same input
    gives the same bytes. All of the sound is written, even when it is longer than the pictures.
    """

    def __init__(
        self,
        out: str | Path | BinaryIO,
        *,
        size: tuple[int, int],
        fps: float = FPS,
        audio: NDArray[np.int16] | None = None,
        live_sound: bool = False,
        audio_rate: int = RATE,
        crf: int = 18,
        comment: str = "",
    ) -> None:
        """Open the output.

        Args:
            out: A path, or an open file such as a pipe, which gets fragmented MP4 as soon as a fragment is complete.
            size: Width and height, even numbers.
            fps: Frames per second.
            audio: Mono samples (N,) that start with the first frame.
            live_sound: Sound comes by `write_sound`.
            audio_rate: Samples per second.
            crf: x264's quality, 0 (lossless) to 51.
            comment: The file's comment tag.

        Raises:
            ValueError: An argument is out of range.
            MediaError: The file cannot be created.
        """
        if audio is not None and (audio.ndim != 1 or audio.dtype != np.int16):
            raise ValueError(f"audio must be int16 of shape (N,), not {audio.dtype} {audio.shape}")
        self._stream = None if isinstance(out, str | Path) else PipeSink(out)
        self.path = path = Path(out) if isinstance(out, str | Path) else Path(STANDARD_OUTPUT)
        self._temporary = path.with_name(f".{uuid4().hex}.tmp")
        self._rate = Fraction(fps).limit_denominator(1_000_000)
        self._waiting = deque([audio] if audio is not None and len(audio) else [])  # sound after the last picture
        self._audio_rate = audio_rate
        self._samples = 0
        try:
            self._container = self._open()
            if comment:
                self._container.metadata["comment"] = comment
            has_sound = live_sound or bool(self._waiting)
            self._encoder = Encoder(
                self._container,
                size=size,
                rate=self._rate,
                audio_rate=audio_rate if has_sound else None,
                crf=crf,
                live=self._stream is not None,
            )
        except BaseException as error:  # also a signal
            self._discard()
            if isinstance(error, OSError | av.error.FFmpegError):
                raise self._failed(error) from None
            raise

    def _open(self) -> Any:
        options = {"fflags": "bitexact"}
        if self._stream is not None:
            options |= {"movflags": _STREAM_FLAGS, "frag_duration": str(_FRAGMENT), "flush_packets": "1"}
            return av.open(self._stream, "w", format="mp4", options=options)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        options = {"movflags": "faststart", **options}
        return av.open(f"file:{self._temporary}", "w", format="mp4", options=options)

    @property
    def frames(self) -> int:
        """Pictures written so far."""
        return self._encoder.frames

    def write(self, frame_HWC: NDArray[np.uint8]) -> None:
        """Append one picture, uint8 RGB (height, width, 3). Raises MediaError when the disk is full."""
        with self._media_errors():
            self._encoder.picture(frame_HWC)
            self._encode_sound(round(self.frames / self._rate * self._audio_rate))

    def write_sound(self, samples_N: NDArray[np.int16]) -> None:
        """Append live sound (N,). It is written next to the pictures that it belongs to."""
        self._waiting.append(samples_N)

    def drop_sound(self) -> None:
        """Leave out the sound that comes after the last picture."""
        self._waiting.clear()

    def _encode_sound(self, until: float) -> None:
        """Encode sound up to sample ``until`` in whole blocks, so that the file interleaves sound and pictures."""
        end = until if until == math.inf else -(-until // AUDIO_BLOCK) * AUDIO_BLOCK
        while self._waiting and self._samples < end:
            samples_N = self._waiting.popleft()
            count = int(min(len(samples_N), end - self._samples))
            if count < len(samples_N):
                self._waiting.appendleft(samples_N[count:])
            self._encoder.sound(samples_N[:count])
            self._samples += count

    @contextmanager
    def _media_errors(self) -> Iterator[None]:
        try:
            yield
            if self._stream is not None:
                self._stream.raise_pending()
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> MediaError:
        words = getattr(error, "strerror", None) or type(error).__name__
        if self._stream is None:
            return MediaError(self.path, f"cannot be written ({words})", "Free space or fix the folder's permissions.")
        if getattr(error, "errno", None) in DISK:
            return MediaError(self.path, f"the disk that it goes to is full ({words})", "Free space there.")
        return MediaError(self.path, f"the output was closed ({words})", "Read the stream to its end.")

    def _finish(self) -> None:
        if not self.frames:
            raise MediaError(self.path, "no frame was given to write", "")
        with self._media_errors():
            self._encode_sound(math.inf)
            self._encoder.finish()
            if self._stream is None:
                self._temporary.replace(self.path)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file and give it its name, or remove it after an exception."""
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(OSError, av.error.FFmpegError):  # an earlier error matters more
                self._container.close()
            self._discard()

    def _discard(self) -> None:
        if self._stream is None:
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)
