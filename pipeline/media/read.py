"""Frames and sound by presentation time, in constant memory.

Time 0 is the video's first frame. Video and sound share this clock, wherever each starts in the container.
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import count, takewhile
from math import inf
from typing import Any

import numpy as np

from pipeline.media.channels import single_channels
from pipeline.media.colour import ToRgb
from pipeline.media.decode import TimedFrame, find_stream, first_time, frames_from, opened, source_rate
from pipeline.media.deinterlace import deinterlaced
from pipeline.media.errors import Damage, library_errors
from pipeline.media.resample import Samples, resampled
from pipeline.media.upright import Image, orientation, shown_size, upright
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.paths import StrPath

_KEPT = 60  # s: sound up to this length is decoded once and kept, longer sound is decoded twice
_PREROLL = Fraction(1)  # s decoded before `start`, so that decoder and resampler have settled


def read_frames(
    path: StrPath,
    *,
    fps: float = FPS,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
) -> Iterator[Image]:
    """The pictures on screen at the times ``start + k / fps``, in constant memory.

    Each time shows the frame nearest to it. A later frame is shown only when it is less than half a step ahead, so that
    a still picture stays until the next one. There is a picture for each step of which the video covers half, and at
    least one.

    Args:
        path: The video.
        fps: Pictures per second.
        start: Seconds after the first frame.
        duration: At most ``round(duration * fps)`` pictures are read; None reads to the end.
        damage: Counts what cannot be decoded.

    Yields:
        New uint8 RGB arrays (H, W, 3), upright, with square pixels, all of the first frame's size.

    Raises:
        MediaError: The file cannot be read or has no video.
    """
    to_rgb = ToRgb()
    placed: tuple[tuple[int, bool], tuple[int, int]] | None = None
    with library_errors(path):
        for frame in ticks(path, fps=fps, start=start, duration=duration, damage=damage, shown=True):
            # Only of the first frame: frames whose side data was read stay in memory until a garbage collection.
            placed = placed or (orientation(frame), shown_size(frame))
            yield upright(to_rgb(frame), *placed)


def ticks(
    path: StrPath,
    *,
    fps: float = FPS,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
    shown: bool = False,
) -> Iterator[Any]:
    """The decoder's frame for each picture of `read_frames`; deinterlaced only if it is to be ``shown``."""
    step, begin = 1 / _exact(fps), _exact(start)
    origin = first_time(path, "video") if begin > 0 else None
    timed: Iterator[TimedFrame] = frames_from(path, "video", None if origin is None else origin + begin, damage)
    if shown:
        timed = deinterlaced(timed)
    held, frame = next(timed)
    following = next(timed, None)
    origin = held if origin is None else origin
    wanted = None if duration is None else round(_exact(duration) / step)
    length, end = Fraction(0), inf if following else held + _shown_for(frame, path, Fraction(0))
    for number in count():
        tick = origin + begin + number * step
        while following and _takes_over(following[0], held, tick, step):
            length = following[0] - held
            held, frame = following
            following = next(timed, None)
            end = inf if following else held + _shown_for(frame, path, length)
        if number == wanted or (tick + step / 2 > end and tick != origin):
            return
        yield frame


def _exact(number: float) -> Fraction:
    """29.97 as 2997/100, not as the nearest binary number; seconds to the microsecond."""
    return Fraction(number).limit_denominator(1_000_000)


def _takes_over(time: Fraction, held: Fraction, tick: Fraction, step: Fraction) -> bool:
    """Whether the frame at ``time``, and not the earlier one at ``held``, is shown at ``tick``."""
    ahead = time - tick
    return ahead <= 0 or (ahead < step / 2 and ahead < tick - held)


def _shown_for(frame: Any, path: StrPath, previous_length: Fraction) -> Fraction:
    """Seconds that the last frame is shown: its own duration, that of the frame before, or the container's mean."""
    if frame.duration:  # containers give wrong ones here for variable rates or damaged times
        return min(Fraction(frame.duration * frame.time_base), max(previous_length, Fraction(1)))
    if previous_length > 0:
        return previous_length
    with opened(path) as container:
        return 1 / source_rate(find_stream(container, "video"))


def read_audio(
    path: StrPath,
    *,
    rate: int = RATE,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
) -> Samples:
    """The sound as mono samples on the video's clock: sample n is heard at ``start + n / rate`` seconds.

    There is silence before sound that starts after the video, and in gaps. Sound before the first frame is cut off.

    Args:
        path: The video or sound file.
        rate: Samples per second.
        start: Seconds after the first frame.
        duration: N is exactly ``round(duration * rate)``, filled up with silence; None reads to the end of the sound.
        damage: Counts what cannot be decoded.

    Returns:
        int16 samples (N,).

    Raises:
        MediaError: The file cannot be read or has no sound.
    """
    blocks = read_audio_blocks(path, rate=rate, start=start, duration=duration, damage=damage)
    samples = np.concatenate([np.zeros(0, np.int16), *blocks])
    return samples if duration is None else np.pad(samples, (0, _count(duration, rate) - len(samples)))


def read_audio_blocks(
    path: StrPath,
    *,
    rate: int = RATE,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
    by_itself: bool = False,
) -> Iterator[Samples]:
    """As `read_audio`, in blocks and in constant memory, without the silence that fills up ``duration``.

    With ``by_itself``, time 0 is the first sample of the sound, as in files without video.
    """
    begin = _exact(start)
    with opened(path) as container:
        on_video_clock = not by_itself and find_stream(container, "video") is not None
    origin = first_time(path, "video" if on_video_clock else "audio")
    preroll = min(begin, _PREROLL)
    target = origin + begin - preroll if begin > preroll else None
    end = None if duration is None else origin + begin + _exact(duration)

    def frames(damage: Damage | None) -> Iterator[TimedFrame]:
        timed_frames = frames_from(path, "audio", target, damage)
        return timed_frames if end is None else takewhile(lambda timed: timed[0] < end, timed_frames)

    with library_errors(path):
        kept_frames = list(frames(damage)) if duration is not None and duration <= _KEPT else None
        channels = single_channels(frames(None) if kept_frames is None else kept_frames)
        source = frames(damage) if kept_frames is None else iter(kept_frames)
        skip = round(preroll * rate)
        left = sys.maxsize if duration is None else _count(duration, rate)
        for block in resampled(source, rate, origin + begin - preroll, lambda frame: channels.get(frame.layout.name)):
            kept = block[skip:][:left]
            skip, left = max(0, skip - len(block)), left - len(kept)
            if len(kept):
                yield kept
            if not left:
                return


def _count(duration: float, rate: int) -> int:
    return round(_exact(duration) * rate)
