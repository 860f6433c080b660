"""Pictures and sound to an MP4: a file that appears whole, or a stream that is written as it goes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from pipeline.media.encode import AUDIO_BLOCK, Encoder
from pipeline.media.errors import MediaError
from pipeline.runtime.clock import FPS, RATE

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
        self.path = path = Path(out) if isinstance(out, str | Path) else Path("-")
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._rate = Fraction(fps).limit_denominator(1_000_000)
        self._audio = audio if audio is not None and len(audio) else None
        self._audio_rate = audio_rate
        self._heard = 0
        try:
            self._container = self._opened()
            if comment:
                self._container.metadata["comment"] = comment
            has_sound = live_sound or self._audio is not None
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

    def write(self, frame_HWC: NDArray[np.uint8]) -> None:
        """Append one picture, uint8 RGB (height, width, 3). MediaError when the disk is full."""
        with self._explained():
            self._encoder.picture(frame_HWC)
            if self._audio is not None:  # side by side with the pictures in the file
                self._sound_until(round(self._encoder.frames / self._rate * self._audio_rate))

    def write_sound(self, samples_N: NDArray[np.int16]) -> None:
        """Append samples (N,) of live sound. MediaError when the disk is full."""
        with self._explained():
            self._encoder.sound(samples_N)

    def _sound_until(self, sample: int) -> None:
        assert self._audio is not None
        blocks = -(-sample // AUDIO_BLOCK) * AUDIO_BLOCK
        self._encoder.sound(self._audio[self._heard : blocks])
        self._heard = max(self._heard, blocks)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> MediaError:
        words = getattr(error, "strerror", None) or type(error).__name__
        if self._stream is not None:
            return MediaError(self.path, f"the output was closed ({words})", "Read the stream to its end.")
        return MediaError(self.path, f"cannot be written ({words})", "Free space or fix the folder's permissions.")

    def _finish(self) -> None:
        if not self._encoder.frames:
            raise MediaError(self.path, "no frame was given to write", "")
        with self._explained():
            if self._audio is not None:
                self._sound_until(len(self._audio))
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
    """What libav writes into where there is no going back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._file.flush()
        return len(data)
