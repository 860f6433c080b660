"""Decoding one stream of a file, from any point, with exact times. Everything else about media is built on this.

Every file is decoded by one thread: the stages work on many clips at once, and threads inside a decoder would fight
for the same cores. libav writes nothing to stderr (PyAV keeps its log off by default).
"""

import math
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import Any, Literal

import av
from av.stream import Disposition

from pipeline.media.errors import Damage, MediaError
from pipeline.media.library import library_errors, library_errors_suppressed, raised_by_library, words_of
from pipeline.media.limits import LONGEST, MOST_OF_A_VIDEO
from pipeline.media.timeline import Clock, Join, clocks, is_even
from pipeline.media.upright import pixel_aspect
from pipeline.runtime.paths import StrPath

Kind = Literal["video", "audio"]
TimedFrame = tuple[Fraction, Any]
"""The time in seconds on the file's own clock, and PyAV's frame."""

# s to aim before the target, until a frame lies before it. Never at the target itself: in MPEG program streams the
# first frames after a seek can have their neighbour's time.
_SEEK_MARGINS = (Fraction(1), Fraction(4), Fraction(16))


@contextmanager
def opened(path: StrPath) -> Iterator[Any]:
    """The opened container of ``path``.

    Raises MediaError for whatever is wrong: no such file, a folder, a pipe, no permission, zero bytes, no media file,
    broken off; and for whatever a library raises in the block.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MediaError(path, "a folder, not a file", "Name a media file.")
        about = path.stat()
        if not S_ISREG(about.st_mode):
            raise MediaError(path, "a pipe or device, not a file", "Name a media file.")
        if about.st_size == 0:
            raise MediaError(path, "the file is empty (0 bytes)", "Fetch it again or remove it.")
        # "file:" keeps libav from reading a colon in the name as a protocol.
        container = av.open(f"file:{path}", metadata_errors="ignore")
    except FileNotFoundError:
        raise MediaError(path, "no such file", "Check the name.") from None
    except PermissionError:
        raise MediaError(path, "no permission to read the file", "Fix the file's permissions.") from None
    except Exception as error:
        if not isinstance(error, OSError) and not raised_by_library(error):
            raise
        reason = f"not a media file, or broken off ({words_of(error)})"
        raise MediaError(path, reason, "Fetch it again or remove it.") from None
    with library_errors(path), container:
        yield container


_ASIDE = Disposition.visual_impaired | Disposition.hearing_impaired | Disposition.comment


def streams_of(container: Any, kind: Kind) -> list[Any]:
    """The streams of ``kind``, first the one that players take: it can be decoded, is marked default, is neither a
    comment nor a description for the blind, comes first. A picture attached to a sound file is not a video.
    """
    pictures = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in getattr(container.streams, kind) if not stream.disposition & pictures]

    def rank(stream: Any) -> tuple[bool, bool, bool]:
        marks = stream.disposition
        return stream.codec_context is None, not marks & Disposition.default, bool(marks & _ASIDE)

    return sorted(streams, key=rank)


def find_stream(container: Any, kind: Kind) -> Any:
    """The stream of ``kind`` that players take, or None."""
    return next(iter(streams_of(container, kind)), None)


def need_stream(container: Any, path: StrPath, kind: Kind) -> Any:
    """As `find_stream`; MediaError where there is none."""
    stream = find_stream(container, kind)
    if stream is None:
        raise MediaError(path, f"no {kind} stream", f"Use a file with {'a picture' if kind == 'video' else 'sound'}.")
    if stream.codec_context is None:
        raise MediaError(path, f"its {kind} codec is not supported", "Convert it, for example to H.264 with AAC.")
    sides = (stream.codec_context.width, stream.codec_context.height) if kind == "video" else ()
    if math.prod(sides) > MOST_OF_A_VIDEO or max(sides, default=0) > LONGEST:
        raise MediaError(path, "its picture has too many pixels", "Make it smaller, for example 1920 pixels wide.")
    stream.codec_context.thread_count = 1
    return stream


def source_rate(stream: Any) -> Fraction:
    """Frames per second as the container says; 25 where it says nothing."""
    return Fraction(stream.average_rate or stream.guessed_rate or 25)


def clocks_of(path: StrPath) -> tuple[dict[Kind, Clock], list[Join]]:
    """The clock of the file's picture and sound, as far as it has them, and where time stamps restart or jump.

    Raises MediaError when the file cannot be opened.
    """
    path = Path(path)
    try:
        about = path.stat()
        return _clocks_of(path, about.st_size, about.st_mtime_ns)
    except OSError:
        return _clocks_of(path, 0, 0)  # opening it says what is wrong


@lru_cache(maxsize=256)
def _clocks_of(path: Path, size: int, changed: int) -> tuple[dict[Kind, Clock], list[Join]]:
    kinds: tuple[Kind, ...] = ("video", "audio")
    with opened(path) as container:
        streams = {kind: stream for kind in kinds if (stream := find_stream(container, kind)) is not None}
        if "mp4" in container.format.name and all(map(is_even, streams.values())):  # its index is whole
            return {kind: Clock() for kind in streams}, []
        found, joins = clocks(_packets(container, *streams.values()), list(streams.values()))
        return {kind: found[stream.index] for kind, stream in streams.items()}, joins


def _packets(container: Any, *streams: Any) -> Iterator[Any]:
    """Up to where the container breaks off."""
    with library_errors_suppressed():
        yield from container.demux(*streams)


def frames_from(
    path: StrPath, kind: Kind, target: Fraction | None = None, damage: Damage | None = None
) -> Generator[TimedFrame, None, None]:
    """All frames of the stream of ``kind``, times rising, from the one on at ``target`` or an earlier one.

    ``target`` is on the file's own clock; None is the beginning. ``damage`` counts what goes wrong from the target on.
    The frames are the decoder's: copy what is kept. Raises MediaError when the file or the stream is not there, or when
    nothing in it can be decoded.
    """
    damage = damage or Damage()
    clock = clocks_of(path)[0].get(kind, Clock())
    for margin in (*_SEEK_MARGINS, None) if target is not None else (None,):
        with opened(path) as container:
            stream = need_stream(container, path, kind)
            since = None if margin is None or target is None else target - margin
            if since is not None and len(clock.shifts) == 1 and not _seek(container, stream, since):
                continue
            before = (damage.lost, damage.concealed)
            packets = container.demux(stream)
            if len(clock.shifts) > 1:
                packets = _on_one_clock(packets, clock, since)
            frames = _in_order(_decoded(packets, stream, damage, target), damage, target, clock.longest)
            head = next(frames, None)
            if margin is None and head is None:
                raise MediaError(path, f"no {kind} in it could be decoded", "Fetch it again or remove it.")
            if margin is None or (head is not None and target is not None and head[0] <= target):
                assert head is not None
                yield from chain([head], frames)
                return
            damage.lost, damage.concealed = before  # the container's index led past the target: aim further back


def _on_one_clock(packets: Iterator[Any], clock: Clock, since: Fraction | None) -> Iterator[Any]:
    """All ``packets`` of a stream, times made one; those before ``since``, which cannot be sought here, left out up to
    the next whole picture.
    """
    shifts = dict(clock.shifts)
    shift, awaited = 0, since is not None
    for number, packet in enumerate(packets):
        shift = shifts.get(number, shift)
        ticks = round(Fraction(shift, 1_000_000) / packet.time_base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks
            awaited = awaited and (packet.dts * packet.time_base < (since or 0) or not packet.is_keyframe)
        if not awaited:
            yield packet


def _seek(container: Any, stream: Any, time: Fraction) -> bool:
    with library_errors_suppressed():
        container.seek(int(time / stream.time_base), stream=stream)
        return True
    return False


def _decoder(stream: Any) -> Any:
    """The stream's own, but libvpx's for WebM with transparency: FFmpeg's VP8 and VP9 leave that out."""
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    if name not in av.codecs_available or stream.metadata.get("alpha_mode") != "1":
        return stream.codec_context
    decoder = av.CodecContext.create(name, "r")
    decoder.thread_count = 1
    return decoder


def _decoded(packets: Iterator[Any], stream: Any, damage: Damage, since: Fraction | None) -> Iterator[TimedFrame]:
    """Decode on over damaged packets. A frame without a time follows the one before."""
    decoder = _decoder(stream)
    step = 1 / source_rate(stream) if stream.type == "video" else Fraction(1, 50)
    time: Fraction | None = None

    def counts() -> bool:
        return since is None or (time is not None and time >= since)

    while True:
        try:
            packet = next(packets, None)
        except Exception as error:
            if not raised_by_library(error):
                raise
            damage.lost += counts()  # the container breaks off here
            return
        if packet is None:
            return
        try:
            frames = decoder.decode(packet)
        except Exception as error:
            if not raised_by_library(error):
                raise
            damage.lost += counts()
            continue
        for frame in frames:
            time = frame.pts * Fraction(frame.time_base) if frame.pts is not None else (time or Fraction(0)) + step
            damage.concealed += counts() and frame.is_corrupt
            if stream.type == "video":
                frame.opaque = pixel_aspect(stream)  # PyAV's frame does not tell it
            yield time, frame


def _in_order(
    frames: Iterator[TimedFrame], damage: Damage, since: Fraction | None, longest: float
) -> Iterator[TimedFrame]:
    """Drop frames whose time is damaged: it goes back, is later than the next, or jumps by more than ``longest`` s."""
    most = Fraction(longest) + 1  # frames may be shown in another order than they are decoded in
    last: Fraction | None = None
    held: TimedFrame | None = None
    for timed in frames:
        time = timed[0]
        if held is None:
            held = timed
        elif time > held[0] + most or (last is not None and time <= last):
            damage.lost += since is None or time >= since
        elif time > held[0]:
            yield held
            last, held = held[0], timed
        else:
            damage.lost += since is None or time >= since
            held = timed
    if held:
        yield held


def first_time(path: StrPath, kind: Kind) -> Fraction:
    """When the first frame of the stream is shown or heard, in seconds on the file's own clock. Raises MediaError."""
    with closing(frames_from(path, kind)) as frames:
        time, _ = next(frames)
    return time
