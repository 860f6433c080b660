"""Media files for tests. Each picture shows its number; each sound has a click at a known time."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

_BITS = 8


def numbered_picture(number: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """RGB that shows ``number`` in binary, as bright and dark stripes from the lowest bit on the left, under noise."""
    bits = (number >> (np.arange(width) * _BITS // width)) & 1
    noise = np.random.default_rng(number).integers(-15, 16, (height, width, 1))  # so that files have real sizes
    return np.repeat(np.where(bits, 220, 30)[None, :, None] + noise, 3, axis=2).astype(np.uint8)


def number_of(picture_HWC: NDArray[np.uint8]) -> int:
    """The number that a picture shows."""
    stripes = picture_HWC.mean(axis=(0, 2)).reshape(_BITS, -1).mean(axis=1)
    return int(((stripes > 125) << np.arange(_BITS)).sum())


def even_times(count: int, fps: float | Fraction) -> list[Fraction]:
    """Presentation times of ``count`` frames in seconds."""
    return [number / Fraction(fps) for number in range(count)]


def click(seconds: float, at: float, rate: int) -> NDArray[np.int16]:
    """Silence with one loud sample at time ``at``."""
    samples = np.zeros(round(seconds * rate), np.int16)
    samples[round(at * rate)] = 30000
    return samples


def encode(
    path: Path,
    times: Sequence[Fraction],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    time_base: Fraction = Fraction(1, 90000),
    size: tuple[int, int] = (64, 48),
    draw: Callable[[int], NDArray[np.uint8]] | None = None,
    aspect: Fraction = Fraction(1),
    options: dict[str, str] | None = None,
    audio: NDArray[np.int16] | None = None,
    audio_codec: str = "pcm_s16le",
    audio_rate: int = 16000,
    audio_start: float = 0.0,
    audio_gap: tuple[float, float] = (0.0, 0.0),
    layout: str = "mono",
) -> Path:
    """Write a file whose frame n shows ``n % 256``, or ``draw(n)``, at ``times[n]``. Without times there is no video.

    ``aspect`` is a pixel's width over its height. The sound is delayed by ``audio_start`` seconds. Its part within
    ``audio_gap`` is left out, as if packets were lost.
    """
    with av.open(str(path), "w") as container:
        video: Any = _video(container, codec, pix_fmt, time_base, size, times, options) if times else None
        if video is not None and aspect != 1:
            video.codec_context.sample_aspect_ratio = aspect
        sound: Any = None
        if audio is not None:
            sound = container.add_stream(audio_codec, rate=audio_rate, layout=layout)
        packets: list[tuple[Fraction, Any]] = []
        for number, time in enumerate(times):
            picture = draw(number) if draw else numbered_picture(number % 256, *size)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = round(time / time_base), time_base
            packets += [(time, packet) for packet in video.encode(frame)]
        if video is not None:
            packets += [(times[-1], packet) for packet in video.encode(None)]
        if audio is not None:
            packets += _sound(sound, audio, audio_rate, audio_start, audio_gap, layout)
        for _, packet in sorted(packets, key=lambda timed: timed[0]):
            container.mux(packet)
    return path


def _video(
    container: Any,
    codec: str,
    pix_fmt: str,
    time_base: Fraction,
    size: tuple[int, int],
    times: Sequence[Fraction],
    options: dict[str, str] | None,
) -> Any:
    mean = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else Fraction(25)
    stream = container.add_stream(codec, rate=Fraction(mean).limit_denominator(1001), options=options or {})
    stream.width, stream.height = size
    stream.pix_fmt = pix_fmt
    stream.codec_context.time_base = time_base
    stream.codec_context.thread_count = 1
    stream.codec_context.gop_size = 12
    return stream


def _sound(
    stream: Any, audio: NDArray[np.int16], rate: int, start: float, gap: tuple[float, float], layout: str
) -> list[tuple[Fraction, Any]]:
    packets: list[tuple[Fraction, Any]] = []
    channels = 2 if layout == "stereo" else 1
    planar = stream.codec_context.format.is_planar
    block = stream.codec_context.frame_size or 800
    for offset in range(0, len(audio), block):
        if gap[0] <= offset / rate < gap[1]:
            continue
        values = np.repeat(audio[offset : offset + block, None], channels, axis=1)
        data = values.T if planar else values.reshape(1, -1)
        if stream.codec_context.format.name.startswith("flt"):
            data = (data / 32768).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(data), format=stream.codec_context.format.name, layout=layout
        )
        frame.sample_rate = rate
        frame.pts, frame.time_base = round(start * rate) + offset, Fraction(1, rate)
        packets += [(Fraction(frame.pts, rate), packet) for packet in stream.encode(frame)]
    return packets + [(Fraction(len(audio), rate) + 1000, packet) for packet in stream.encode(None)]


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Set the display matrix of an MP4's first track: (x, y) is shown at (a x + c y, b x + d y)."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # the display matrix, 16.16 fixed point
    a, b, c, d = matrix
    values = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 14]) * 65536
    content[at : at + 36] = values.astype(np.int64).astype(np.uint32).astype(">u4").tobytes()
    path.write_bytes(content)
