"""Pictures and sound to an MP4 file."""

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from pipeline.media.errors import MediaError
from pipeline.runtime.clock import FPS, RATE

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP | Interpolation.BITEXACT
_AUDIO_BLOCK = 1024  # samples an AAC frame holds
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_BT709 = 1  # the code of that matrix in H.264


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
        path: str | Path,
        *,
        size: tuple[int, int],
        fps: float = FPS,
        audio: NDArray[np.int16] | None = None,
        audio_rate: int = RATE,
        crf: int = 18,
        comment: str = "",
    ) -> None:
        """Start a video of ``size`` (width, height), even numbers, with ``audio`` mono int16 (N,) from its first frame.

        ``crf`` is x264's quality, 0 (lossless) to 51, ``comment`` what the file says of itself. Raises ValueError for
        arguments out of range, MediaError when the file cannot be made.
        """
        if size[0] % 2 or size[1] % 2 or min(size) < 2:
            raise ValueError(f"width and height must be even for 4:2:0 colour, not {size[0]}x{size[1]}")
        if audio is not None and (audio.ndim != 1 or audio.dtype != np.int16):
            raise ValueError(f"audio must be int16 of shape (N,), not {audio.dtype} {audio.shape}")
        if audio_rate not in _AAC_RATES:
            raise ValueError(f"audio_rate must be one of {', '.join(map(str, _AAC_RATES))}")
        self.path = path = Path(path)
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._size = size
        self._rate = Fraction(fps).limit_denominator(1_000_000)
        self._audio = audio if audio is not None and len(audio) else None
        self._audio_rate = audio_rate
        self._convert = VideoReformatter()
        self._frames = 0
        self._heard = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            options = {"movflags": "faststart", "fflags": "bitexact"}
            self._container = av.open(f"file:{self._temporary}", "w", format="mp4", options=options)
            if comment:
                self._container.metadata["comment"] = comment
            self._video = self._add_video(crf)
            self._sound = self._add_sound() if self._audio is not None else None
        except BaseException as error:  # a signal too
            self._discard()
            if isinstance(error, OSError | av.error.FFmpegError):
                raise self._failed(error) from None
            raise

    def _add_video(self, crf: int) -> Any:
        stream = self._container.add_stream("libx264", rate=self._rate, options={"crf": str(crf), "preset": "fast"})
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / self._rate
        context.thread_count = 1
        context.flags |= av.codec.context.Flags.bitexact
        context.colorspace = _BT709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.color_range = ColorRange.MPEG
        return stream

    def _add_sound(self) -> Any:
        stream = self._container.add_stream("aac", rate=self._audio_rate, layout="mono", options={"b": "96k"})
        stream.codec_context.time_base = Fraction(1, self._audio_rate)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        return stream

    def write(self, frame_HWC: NDArray[np.uint8]) -> None:
        """Append one picture, uint8 RGB (height, width, 3). MediaError when the disk is full."""
        width, height = self._size
        if frame_HWC.shape != (height, width, 3) or frame_HWC.dtype != np.uint8:
            raise ValueError(f"a frame must be uint8 {(height, width, 3)}, not {frame_HWC.dtype} {frame_HWC.shape}")
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_HWC), format="rgb24")
        frame = self._convert.reformat(
            rgb,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_EXACT,
            threads=1,
        )
        frame.pts = self._frames
        frame.time_base = 1 / self._rate
        self._mux(self._video, frame)
        self._frames += 1
        self._write_sound(round(self._frames / self._rate * self._audio_rate))

    def _write_sound(self, until: int) -> None:
        """Whole blocks of the sound up to sample ``until``, so that pictures and sound lie side by side in the file."""
        if self._sound is None or self._audio is None:
            return
        while self._heard < min(until, len(self._audio)):
            block = self._audio[self._heard : self._heard + _AUDIO_BLOCK]
            scaled = (block / np.float32(32768)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(scaled[None], format="fltp", layout="mono")
            frame.sample_rate = self._audio_rate
            frame.pts = self._heard
            frame.time_base = Fraction(1, self._audio_rate)
            self._mux(self._sound, frame)
            self._heard += len(block)

    def _mux(self, stream: Any, frame: Any) -> None:
        try:
            self._container.mux(stream.encode(frame))
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> MediaError:
        words = getattr(error, "strerror", None) or type(error).__name__
        return MediaError(self.path, f"cannot be written ({words})", "Free space or fix the folder's permissions.")

    def _finish(self) -> None:
        if not self._frames:
            raise MediaError(self.path, "no frame was given to write", "")
        if self._audio is not None:
            self._write_sound(len(self._audio))
        for stream in filter(None, (self._video, self._sound)):
            self._mux(stream, None)
        try:
            self._container.close()
            self._temporary.replace(self.path)
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed(error) from None

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
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)
