"""Pictures and sound as H.264 and AAC in an open container."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

AUDIO_BLOCK = 1024
"""Samples of an AAC frame."""
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP | Interpolation.BITEXACT
_BT709 = 1  # H.264's code for that matrix


class Encoder:
    """Encodes H.264 (yuv420p, BT.709) and mono AAC. The same input gives the same bytes."""

    def __init__(
        self,
        container: Any,
        *,
        size: tuple[int, int],
        rate: Fraction,
        audio_rate: int | None,
        crf: int,
        live: bool = False,
    ) -> None:
        """Add the streams to ``container``. Encoding raises OSError or FFmpegError when writing fails.

        Args:
            container: PyAV's output container.
            size: Width and height, even numbers.
            rate: Frames per second.
            audio_rate: Samples per second; None for no sound.
            crf: x264's quality, 0 (lossless) to 51.
            live: Output each picture at once, which lowers the quality for the same size.

        Raises:
            ValueError: ``size`` or ``audio_rate`` is not supported.
        """
        if size[0] % 2 or size[1] % 2 or min(size) < 2:
            raise ValueError(f"width and height must be even for 4:2:0 colour, not {size[0]}x{size[1]}")
        if audio_rate is not None and audio_rate not in _AAC_RATES:
            raise ValueError(f"audio_rate must be one of {', '.join(map(str, _AAC_RATES))}")
        self._container, self._size, self._rate, self._audio_rate = container, size, rate, audio_rate
        self._convert = VideoReformatter()
        self._pending = np.zeros(0, np.int16)  # samples of a block that is not full
        self.frames = self._samples = 0
        self._video = self._add_video(crf, live)
        self._audio: Any = self._add_audio() if audio_rate else None

    def _add_video(self, crf: int, live: bool) -> Any:
        options = {"crf": str(crf), "preset": "fast", **({"tune": "zerolatency"} if live else {})}
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
        stream = self._container.add_stream("aac", rate=self._audio_rate, layout="mono", options={"b": "96k"})
        stream.codec_context.time_base = Fraction(1, self._audio_rate)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        return stream

    def picture(self, frame_HWC: NDArray[np.uint8]) -> None:
        """Encode the next picture, uint8 RGB (height, width, 3). Raises ValueError for another type or shape."""
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
        frame.pts = self.frames
        frame.time_base = 1 / self._rate
        self._container.mux(self._video.encode(frame))
        self.frames += 1

    def sound(self, samples_N: NDArray[np.int16], last: bool = False) -> None:
        """Encode the next samples (N,). Part of a block waits for more samples, unless they are the ``last``."""
        self._pending = np.concatenate([self._pending, samples_N])
        while len(self._pending) >= AUDIO_BLOCK or (last and len(self._pending)):
            block, self._pending = self._pending[:AUDIO_BLOCK], self._pending[AUDIO_BLOCK:]
            scaled = (block / np.float32(32768)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(scaled[None], format="fltp", layout="mono")
            frame.sample_rate = self._audio_rate or 0
            frame.pts = self._samples
            frame.time_base = Fraction(1, self._audio_rate or 1)
            self._container.mux(self._audio.encode(frame))
            self._samples += len(block)

    def finish(self) -> None:
        """Write what the encoders hold back, and the container's end."""
        if self._audio is not None:
            self.sound(self._pending[:0], last=True)
        for stream in filter(None, (self._video, self._audio)):
            self._container.mux(stream.encode(None))
        self._container.close()
