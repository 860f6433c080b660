"""Pictures and sound to an MP4: a file that appears whole, or a stream that is written as it goes."""

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
from pipeline.media.waiting import write_all
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import DISK

STANDARD_OUTPUT = "standard output"
"""How messages call the file that is not a path."""
_FRAGMENT = 200_000
"""Microseconds of a stream's pictures and sound that are written at a time."""
_STREAM = "default_base_moof+delay_moov"  # after the first pictures and sound, which say when they begin


class VideoWriter:
    """Writes H.264 (yuv420p, BT.709) with AAC to an MP4, frame by frame, in constant memory.

    Used as a context manager::

        with VideoWriter(path, size=(128, 128), audio=samples) as video:
            for frame_HWC in frames:
                video.write(frame_HWC)

    The file appears under its name when the block ends well; after an exception nothing is left. Same input, same
    bytes. Sound is written whole, also where it is longer than the pictures, and read back it has the length it had.
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
        """Start a video of ``size`` (width, height), even numbers, with ``audio`` mono int16 (N,) from its first frame,
        or with ``live_sound``, which comes by `write_sound`.

        ``out`` is a file's name, or an open one, such as a pipe: that one gets fragmented MP4, each fragment once its
        pictures and sound are there. ``crf`` is x264's quality, 0 (lossless) to 51, ``comment`` what the file says of
        itself. Raises ValueError for arguments out of range, MediaError when the file cannot be made.
        """
        if audio is not None and (audio.ndim != 1 or audio.dtype != np.int16):
            raise ValueError(f"audio must be int16 of shape (N,), not {audio.dtype} {audio.shape}")
        self._stream = None if isinstance(out, str | Path) else _Pipe(out)
        self.path = path = Path(out) if isinstance(out, str | Path) else Path(STANDARD_OUTPUT)
        self._temporary = path.with_name(f".{uuid4().hex}.tmp")
        self._rate = Fraction(fps).limit_denominator(1_000_000)
        self._waiting = deque([audio] if audio is not None and len(audio) else [])  # sound after the pictures so far
        self._audio_rate = audio_rate
        self._heard = 0
        try:
            self._container = self._opened()
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
        except BaseException as error:  # a signal too
            self._discard()
            if isinstance(error, OSError | av.error.FFmpegError):
                raise self._failed(error) from None
            raise

    def _opened(self) -> Any:
        options = {"fflags": "bitexact"}
        if self._stream is not None:
            options |= {"movflags": _STREAM, "frag_duration": str(_FRAGMENT), "flush_packets": "1"}
            return av.open(self._stream, "w", format="mp4", options=options)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        options = {"movflags": "faststart", **options}
        return av.open(f"file:{self._temporary}", "w", format="mp4", options=options)

    @property
    def frames(self) -> int:
        """How many pictures it has."""
        return self._encoder.frames

    def write(self, frame_HWC: NDArray[np.uint8]) -> None:
        """Append one picture, uint8 RGB (height, width, 3). MediaError when the disk is full."""
        with self._explained():
            self._encoder.picture(frame_HWC)
            self._sound_until(round(self.frames / self._rate * self._audio_rate))

    def write_sound(self, samples_N: NDArray[np.int16]) -> None:
        """Append samples (N,) of live sound, which are written beside the pictures that they belong to."""
        self._waiting.append(samples_N)

    def drop_sound(self) -> None:
        """Leave out the sound that comes after the pictures so far."""
        self._waiting.clear()

    def _sound_until(self, sample: float) -> None:
        """Whole blocks of the sound, so that it lies side by side with the pictures in the file."""
        blocks = sample if sample == math.inf else -(-sample // AUDIO_BLOCK) * AUDIO_BLOCK
        while self._waiting and self._heard < blocks:
            samples_N = self._waiting.popleft()
            fitting = int(min(len(samples_N), blocks - self._heard))
            if fitting < len(samples_N):
                self._waiting.appendleft(samples_N[fitting:])
            self._encoder.sound(samples_N[:fitting])
            self._heard += fitting

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
            if self._stream is not None:
                self._stream.end_if_told()
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> MediaError:
        words = getattr(error, "strerror", None) or type(error).__name__
        if self._stream is not None and getattr(error, "errno", None) in DISK:
            return MediaError(self.path, f"the disk that it goes to is full ({words})", "Free space there.")
        if self._stream is not None:
            return MediaError(self.path, f"the output was closed ({words})", "Read the stream to its end.")
        return MediaError(self.path, f"cannot be written ({words})", "Free space or fix the folder's permissions.")

    def _finish(self) -> None:
        if not self.frames:
            raise MediaError(self.path, "no frame was given to write", "")
        with self._explained():
            self._sound_until(math.inf)
            self._encoder.finish()
            if self._stream is None:
                self._temporary.replace(self.path)

    def __enter__(self) -> "VideoWriter":
        """Nothing more to open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file and give it its name, or remove it after an exception."""
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(OSError, av.error.FFmpegError):  # the first error is the one to tell
                self._container.close()
            self._discard()

    def _discard(self) -> None:
        if self._stream is None:
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)


class _Pipe:
    """What libav writes into where there is no going back. What is raised within it PyAV would print, and go on."""

    def __init__(self, file: BinaryIO) -> None:
        file.flush()
        self._file = getattr(file, "raw", file)  # a buffer loses what a pipe that does not wait has no room for
        self._told: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            write_all(self._file, data)
        except BaseException as error:  # a signal, while the reader is waited for
            self._told = self._told or error
        return len(data)

    def end_if_told(self) -> None:
        """Raise what `write` was told, once."""
        told, self._told = self._told, None
        if told:
            raise told
