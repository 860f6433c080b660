"""Frames and sound by presentation time, in constant memory.

Time 0 is the video's first frame; both streams are put on this clock, whatever each of them starts at in the container.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.media.colour import ToRgb
from pipeline.media.decode import TimedFrame, find_stream, first_time, frames_from, opened, source_rate
from pipeline.media.deinterlace import deinterlaced
from pipeline.media.errors import Damage
from pipeline.media.library import library_errors
from pipeline.media.mono import channels_alone, resampled
from pipeline.media.upright import orientation, shown_size, upright
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.paths import StrPath

Samples = NDArray[np.int16]
Image = NDArray[np.uint8]

_KEPT = 60  # s of sound that are kept between the check of the channels and the mixing
_PREROLL = Fraction(1)  # s decoded before `start`, so that decoder and resampler have settled


def read_frames(
    path: StrPath,
    *,
    fps: float = FPS,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
) -> Iterator[Image]:
    """The pictures on screen at the ticks ``start + k / fps``: uint8 RGB (H, W, 3), upright, with square pixels,
    each the caller's own.

    A tick shows the frame nearest to it in time, but a later one only when it is less than half a tick ahead, so that a
    still picture stays until the next one comes. Frames at the same rate pass one to one, also with time stamps that
    jitter by almost half a frame. There is a tick for every ``1 / fps`` that the video covers by half, and one at
    least. At most ``round(duration * fps)`` frames come. All have the size of the first.

    Memory does not grow with the length; ``start`` is sought, not decoded up to. ``damage`` counts what is unreadable.
    Raises MediaError when the file is unreadable or has no video.
    """
    to_rgb = ToRgb()
    seen: tuple[tuple[int, bool], tuple[int, int]] | None = None
    with library_errors(path):
        for frame in ticks(path, fps=fps, start=start, duration=duration, damage=damage, shown=True):
            # Of the first alone: a frame whose side data was read stays in memory until Python collects garbage.
            seen = seen or (orientation(frame), shown_size(frame))
            yield upright(to_rgb(frame), *seen)


def count_frames(
    path: StrPath,
    *,
    fps: float = FPS,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
) -> int:
    """How many frames ``read_frames`` gives, found by decoding them, without converting the pictures."""
    return sum(1 for _ in ticks(path, fps=fps, start=start, duration=duration, damage=damage))


def ticks(
    path: StrPath, *, fps: float, start: float, duration: float | None, damage: Damage | None, shown: bool = False
) -> Iterator[Any]:
    """The decoder's frame for every tick of ``read_frames``; deinterlaced if it is to be ``shown``, not counted."""
    step = 1 / _exact(fps)
    begin = _exact(start)
    origin = first_time(path, "video") if begin > 0 else None
    timed: Iterator[TimedFrame] = frames_from(path, "video", None if origin is None else origin + begin, damage)
    if shown:
        timed = deinterlaced(timed)
    held, frame = next(timed)
    origin = held if origin is None else origin
    wanted = None if duration is None else round(_exact(duration) / step)
    tick = origin + begin
    sent = 0
    length = Fraction(0)
    for time, following in timed:
        while not _takes_over(time, held, tick, step):
            if sent == wanted:
                return
            yield frame
            sent += 1
            tick = origin + begin + sent * step
        length = time - held
        held, frame = time, following
    end = held + _shown_for(frame, path, length)
    while sent != wanted and (tick + step / 2 <= end or tick == origin):
        yield frame
        sent += 1
        tick = origin + begin + sent * step


def _exact(number: float) -> Fraction:
    """29.97 as 2997/100 and not as the nearest binary number; seconds to the microsecond."""
    return Fraction(number).limit_denominator(1_000_000)


def _takes_over(time: Fraction, held: Fraction, tick: Fraction, step: Fraction) -> bool:
    """Whether the frame at ``time`` rather than the earlier one at ``held`` is shown at ``tick``."""
    ahead = time - tick
    return ahead <= 0 or (ahead < step / 2 and ahead < tick - held)


def _shown_for(frame: Any, path: StrPath, length_before: Fraction) -> Fraction:
    """How long the last frame is on, s: its own duration, or that of the one before, or what the container says.

    A second at most, or as long as the one before: where rates vary or times are damaged, containers are wrong here.
    """
    if frame.duration:
        return min(Fraction(frame.duration * frame.time_base), max(length_before, Fraction(1)))
    if length_before > 0:
        return length_before
    with opened(path) as container:
        return 1 / source_rate(find_stream(container, "video"))


def read_audio(
    path: StrPath,
    *,
    rate: int = RATE,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
    by_itself: bool = False,
) -> Samples:
    """The sound as mono int16 (N,) at ``rate`` Hz, on the video's clock: sample n is heard at ``start + n / rate``.

    Sound that starts after the video has silence before it, sound before the video's first frame is cut off, gaps are
    silent. With ``duration``, N is exactly ``round(duration * rate)``, filled with silence where the sound ends sooner;
    without, it goes on to the end of the sound. A file without video has its first sample at 0; so has every file with
    ``by_itself``.
    Raises MediaError when the file is unreadable or has no sound.
    """
    blocks = read_audio_blocks(path, rate=rate, start=start, duration=duration, damage=damage, by_itself=by_itself)
    samples = np.concatenate([np.zeros(0, np.int16), *blocks])
    if duration is None:
        return samples
    return np.pad(samples, (0, _count(duration, rate) - len(samples)))


def read_audio_blocks(
    path: StrPath,
    *,
    rate: int = RATE,
    start: float = 0.0,
    duration: float | None = None,
    damage: Damage | None = None,
    by_itself: bool = False,
) -> Iterator[Samples]:
    """What ``read_audio`` gives, in blocks and without the silence after the end, in constant memory."""
    begin = _exact(start)
    with opened(path) as container:
        on_video_clock = not by_itself and find_stream(container, "video") is not None
    origin = first_time(path, "video" if on_video_clock else "audio")
    preroll = min(begin, _PREROLL)
    target = origin + begin - preroll if begin > preroll else None
    end = None if duration is None else origin + begin + _exact(duration)

    def frames(damage: Damage | None) -> Iterator[TimedFrame]:
        timed = frames_from(path, "audio", target, damage)
        return timed if end is None else takewhile(lambda one: one[0] < end, timed)

    with library_errors(path):
        # Short sound is decoded once and kept, long sound twice.
        short = list(frames(damage)) if duration is not None and duration <= _KEPT else None
        alone = channels_alone(short if short is not None else frames(None))
        heard = iter(short) if short is not None else frames(damage)
        skip = round(preroll * rate)
        left = None if duration is None else _count(duration, rate)
        for block in resampled(heard, rate, origin + begin - preroll, lambda frame: alone.get(frame.layout.name)):
            kept, skip = block[skip:], max(0, skip - len(block))
            if left is not None:
                kept = kept[:left]
                left -= len(kept)
            if len(kept):
                yield kept
            if left == 0:
                return


def _count(duration: float, rate: int) -> int:
    return round(_exact(duration) * rate)
