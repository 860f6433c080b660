"""Pictures and sound as an MP4: a file that appears complete, or a stream that is written as it goes."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import av.error
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from pipeline.media.errors import MediaError
from pipeline.media.pipe_io import PipeSink
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import DISK
from pipeline.runtime.files import writing

_FRAGMENT = 200_000  # µs of pictures and sound in a fragment of a stream
_STREAM_FLAGS = "default_base_moof+delay_moov"  # the header waits for the first packets, which tell the start times
_AUDIO_BLOCK = 1024  # samples of an AAC frame
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP | Interpolation.BITEXACT
_BT709 = 1  # H.264's code for that matrix
_BITEXACT = {"fflags": "bitexact"}


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """Writes H.264 (yuv420p, BT.709) with mono AAC to an MP4, frame by frame, in constant memory.

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
        crf: int = 18,
        comment: str = "",
    ) -> None:
        """Open the output.

        Args:
            out: A path, or an open file such as a pipe, which gets fragmented MP4 as soon as a fragment is complete.
            size: Width and height, even numbers.
            fps: Frames per second.
            audio: Mono samples (N,) at 16 kHz that start with the first frame.
            live_sound: Sound comes by `write_sound`.
            crf: x264's quality, 0 (lossless) to 51.
            comment: The file's comment tag.

        Raises:
            ValueError: An argument is out of range.
            MediaError: The file cannot be created.
        """
        if audio is not None and (audio.ndim != 1 or audio.dtype != np.int16):
            raise ValueError(f"audio must be int16 of shape (N,), not {audio.dtype} {audio.shape}")
        if size[0] % 2 or size[1] % 2 or min(size) < 2:
            raise ValueError(f"width and height must be even for 4:2:0 colour, not {size[0]}x{size[1]}")
        self._stream = None if isinstance(out, str | Path) else PipeSink(out)
        self.path = Path(out) if isinstance(out, str | Path) else Path("standard output")
        self._size, self._rate = size, Fraction(fps).limit_denominator(1_000_000)
        self._waiting = deque([audio] if audio is not None and len(audio) else [])  # sound after the last picture
        self.frames = 0
        """Pictures written so far."""
        self._samples = 0  # sound written so far
        self._convert = VideoReformatter()
        with ExitStack() as stack, self._media_errors():
            self._container = self._open(stack)
            if comment:
                self._container.metadata["comment"] = comment
            self._video = self._add_video(crf)
            self._audio = self._add_audio() if live_sound or self._waiting else None
            self._files = stack.pop_all()

    def _open(self, stack: ExitStack) -> Any:
        if self._stream is not None:
            options = {"movflags": _STREAM_FLAGS, "frag_duration": str(_FRAGMENT), "flush_packets": "1"}
            return av.open(self._stream, "w", format="mp4", options=options | _BITEXACT)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = stack.enter_context(writing(self.path.parent))
        options = {"movflags": "faststart", **_BITEXACT}
        return av.open(f"file:{self._temporary}", "w", format="mp4", options=options)

    def _add_video(self, crf: int) -> Any:
        # A stream outputs each picture at once, which lowers the quality for the same size.
        options = {"crf": str(crf), "preset": "fast", **({"tune": "zerolatency"} if self._stream is not None else {})}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
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

    def _add_audio(self) -> Any:
        stream = self._container.add_stream("aac", rate=RATE, layout="mono", options={"b": "96k"})
        stream.codec_context.time_base = Fraction(1, RATE)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        return stream

    def write(self, frame_HWC: NDArray[np.uint8]) -> None:
        """Append one picture, uint8 RGB (height, width, 3).

        Raises ValueError for another type or shape, and MediaError when the disk is full or the pipe is closed.
        """
        width, height = self._size
        if frame_HWC.shape != (height, width, 3) or frame_HWC.dtype != np.uint8:
            raise ValueError(f"a frame must be uint8 {(height, width, 3)}, not {frame_HWC.dtype} {frame_HWC.shape}")
        with self._media_errors():
            frame = self._convert.reformat(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_HWC), format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                interpolation=_EXACT,
                threads=1,
            )
            frame.pts = self.frames
            frame.time_base = 1 / self._rate
            self._container.mux(self._video.encode(frame))
            self.frames += 1
            self._encode_sound(round(self.frames / self._rate * RATE))

    def write_sound(self, samples_N: NDArray[np.int16]) -> None:
        """Append live sound (N,). It is written next to the pictures that it belongs to."""
        if len(samples_N):  # libav has no empty frames
            self._waiting.append(samples_N)

    def drop_sound(self) -> None:
        """Leave out the sound that comes after the last picture."""
        self._waiting.clear()

    def _encode_sound(self, until: int) -> None:
        """Encode the AAC frames that begin before sample ``until``, so that sound and pictures are interleaved."""
        end = -(-until // _AUDIO_BLOCK) * _AUDIO_BLOCK
        while self._waiting and self._samples < end:
            block, rest = np.split(self._waiting.popleft(), [min(_AUDIO_BLOCK, end - self._samples)])
            if len(rest):
                self._waiting.appendleft(rest)
            frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            frame.pts = self._samples
            frame.time_base = Fraction(1, RATE)
            assert self._audio is not None
            self._container.mux(self._audio.encode(frame))  # PyAV keeps an incomplete AAC frame
            self._samples += len(block)

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
            raise MediaError(self.path, "no frame was given to write")
        with self._media_errors():
            self._encode_sound(sys.maxsize)
            for stream in filter(None, (self._video, self._audio)):  # what the encoders hold back
                self._container.mux(stream.encode(None))
            self._container.close()
            if self._stream is None:
                self._temporary.replace(self.path)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file and give it its name, or remove it after an exception."""
        with self._files:
            try:
                if kind is None:
                    self._finish()
            finally:
                with suppress(OSError, av.error.FFmpegError):  # an earlier error matters more
                    self._container.close()
