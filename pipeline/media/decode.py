"""Decoding one stream of a file, from any point, with exact times. The rest of the package is built on this.

Each file is decoded by one thread: stages work on many clips at once, and decoder threads would compete for the cores.
libav writes nothing to stderr, because PyAV keeps its log off by default.
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
import av.error
from av.stream import Disposition

from pipeline.media.errors import (
    OTHER_FILE,
    Damage,
    MediaError,
    error_text,
    library_errors,
    library_errors_suppressed,
    raised_by_library,
)
from pipeline.media.timeline import Clock, Join, clocks, is_even
from pipeline.media.upright import MAX_SIDE, pixel_aspect
from pipeline.runtime.paths import StrPath

Kind = Literal["video", "audio"]
TimedFrame = tuple[Fraction, Any]
"""The time in seconds on the file's own clock, and PyAV's frame."""

_MAX_PIXELS = 64_000_000  # of a video frame, twice 8K: decoders keep several
# Seconds before the target to seek to, until a frame comes that lies before it. The target itself is not sought: in
# MPEG program streams the first frames after a seek can have a neighbour's time.
_SEEK_MARGINS = (Fraction(1), Fraction(4), Fraction(16))
_ATTACHED = Disposition.attached_pic | Disposition.timed_thumbnails
_SECONDARY = Disposition.visual_impaired | Disposition.hearing_impaired | Disposition.comment


@contextmanager
def opened(path: StrPath) -> Iterator[Any]:
    """Open the container ``path``.

    Raises MediaError when the file does not exist, is a folder or pipe, is empty, is not allowed to be read, or is not
    a media file, and when a media library raises an error in the block.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MediaError(path, "a folder, not a file", "Name a media file.")
        stat = path.stat()
        if not S_ISREG(stat.st_mode):
            raise MediaError(path, "a pipe or device, not a file", "Name a media file.")
        if stat.st_size == 0:
            raise MediaError(path, "the file is empty (0 bytes)", OTHER_FILE)
        # "file:" keeps libav from reading a colon in the name as a protocol.
        container = av.open(f"file:{path}", metadata_errors="ignore")
    except FileNotFoundError:
        raise MediaError(path, "no such file", "Check the name.") from None
    except PermissionError:
        raise MediaError(path, "no permission to read the file", "Fix the file's permissions.") from None
    except Exception as error:
        if not isinstance(error, OSError) and not raised_by_library(error):
            raise
        reason = f"not a media file, or broken off ({error_text(error)})"
        raise MediaError(path, reason, OTHER_FILE) from None
    with library_errors(path), container:
        yield container


def streams_of(container: Any, kind: Kind) -> list[Any]:
    """The streams of ``kind`` in the order in which players prefer them.

    Streams that can be decoded come first, then the ones marked default, then those that are neither a comment nor made
    for the blind or deaf. A picture attached to a sound file is not a video.
    """
    streams = [stream for stream in getattr(container.streams, kind) if not stream.disposition & _ATTACHED]

    def rank(stream: Any) -> tuple[bool, bool, bool]:
        marks = stream.disposition
        return stream.codec_context is None, not marks & Disposition.default, bool(marks & _SECONDARY)

    return sorted(streams, key=rank)


def find_stream(container: Any, kind: Kind) -> Any:
    """The stream of ``kind`` that players use, or None."""
    return next(iter(streams_of(container, kind)), None)


def need_stream(container: Any, path: StrPath, kind: Kind) -> Any:
    """As `find_stream`, but raises MediaError when there is none or it cannot be decoded."""
    stream = find_stream(container, kind)
    if stream is None:
        raise MediaError(path, f"no {kind} stream", f"Use a file with {'a picture' if kind == 'video' else 'sound'}.")
    context = stream.codec_context
    if context is None:
        raise MediaError(path, f"its {kind} codec is not supported", "Convert it, for example to H.264 with AAC.")
    if kind == "video" and (
        math.prod((context.width, context.height)) > _MAX_PIXELS or max(context.width, context.height) > MAX_SIDE
    ):
        raise MediaError(path, "its picture has too many pixels", "Make it smaller, for example 1920 pixels wide.")
    context.thread_count = 1
    return stream


def source_rate(stream: Any) -> Fraction:
    """Frames per second according to the container, or 25."""
    return Fraction(stream.average_rate or stream.guessed_rate or 25)


def clocks_of(path: StrPath) -> tuple[dict[Kind, Clock], list[Join]]:
    """The clocks of the file's video and sound, and where time stamps restart or jump.

    Raises MediaError when the file cannot be opened.
    """
    path = Path(path)
    try:
        stat = path.stat()
        return _clocks_of(path, stat.st_size, stat.st_mtime_ns)
    except OSError:
        return _clocks_of(path, 0, 0)  # opening it raises the MediaError


@lru_cache(maxsize=256)
def _clocks_of(path: Path, size: int, changed: int) -> tuple[dict[Kind, Clock], list[Join]]:
    kinds: tuple[Kind, ...] = ("video", "audio")
    with opened(path) as container:
        streams = {kind: stream for kind in kinds if (stream := find_stream(container, kind)) is not None}
        if "mp4" in container.format.name and all(map(is_even, streams.values())):  # its index lists all packets
            return {kind: Clock() for kind in streams}, []
        by_index, joins = clocks(_packets(container, *streams.values()), list(streams.values()))
        return {kind: by_index[stream.index] for kind, stream in streams.items()}, joins


def _packets(container: Any, *streams: Any) -> Iterator[Any]:
    """All packets up to where the container breaks off."""
    with library_errors_suppressed():
        yield from container.demux(*streams)


def frames_from(
    path: StrPath, kind: Kind, target: Fraction | None = None, damage: Damage | None = None
) -> Generator[TimedFrame, None, None]:
    """The frames of the file's video or sound in the order of their times.

    The first frame is the one shown at ``target``, or an earlier one. The frames belong to the decoder: copy what you
    keep.

    Args:
        path: The media file.
        kind: Video or audio.
        target: Seconds on the file's own clock; None is the beginning.
        damage: Counts what cannot be decoded from ``target`` on.

    Raises:
        MediaError: The file or stream does not exist, or nothing in it can be decoded.
    """
    damage = damage or Damage()
    clock = clocks_of(path)[0].get(kind, Clock())
    starts = [] if target is None else [target - margin for margin in _SEEK_MARGINS]
    for start in (*starts, None):  # None: from the beginning of the file
        with opened(path) as container:
            stream = need_stream(container, path, kind)
            if start is not None and len(clock.shifts) == 1 and not _seek(container, stream, start):
                continue
            before = (damage.lost, damage.concealed)
            packets = container.demux(stream)
            if len(clock.shifts) > 1:
                packets = _on_one_clock(packets, clock, start)
            frames = _in_order(_decoded(packets, stream, damage, target), damage, target, clock.longest)
            first = next(frames, None)
            if first is None and start is None:
                raise MediaError(path, f"no {kind} in it could be decoded", OTHER_FILE)
            if first is not None and (start is None or target is None or first[0] <= target):
                yield from chain([first], frames)
                return
            damage.lost, damage.concealed = before  # the seek led past the target: start earlier


def _on_one_clock(packets: Iterator[Any], clock: Clock, start: Fraction | None) -> Iterator[Any]:
    """Shift the times of a stream's packets to one clock; such files cannot be sought in.

    Packets before ``start`` are left out, up to the next key frame.
    """
    shifts = dict(clock.shifts)
    shift, skipping = 0, start is not None
    for number, packet in enumerate(packets):
        shift = shifts.get(number, shift)
        ticks = round(Fraction(shift, 1_000_000) / packet.time_base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks
            skipping = skipping and (packet.dts * packet.time_base < (start or 0) or not packet.is_keyframe)
        if not skipping:
            yield packet


def _seek(container: Any, stream: Any, time: Fraction) -> bool:
    with library_errors_suppressed():
        container.seek(int(time / stream.time_base), stream=stream)
        return True
    return False


def _decoder(stream: Any) -> Any:
    """The stream's decoder. FFmpeg's own VP8 and VP9 drop transparency, so WebM with transparency gets libvpx."""
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    if name not in av.codecs_available or stream.metadata.get("alpha_mode") != "1":
        return stream.codec_context
    decoder = av.CodecContext.create(name, "r")
    decoder.thread_count = 1
    return decoder


def _decoded(packets: Iterator[Any], stream: Any, damage: Damage, target: Fraction | None) -> Iterator[TimedFrame]:
    """Decode, and continue after damaged packets. A frame without a time follows the one before it."""
    decoder = _decoder(stream)
    step = 1 / source_rate(stream) if stream.type == "video" else Fraction(1, 50)
    time: Fraction | None = None

    def counts() -> bool:
        return target is None or (time is not None and time >= target)

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
                frame.opaque = pixel_aspect(stream)  # PyAV's frame does not have it
            yield time, frame


def _in_order(
    frames: Iterator[TimedFrame], damage: Damage, target: Fraction | None, longest: float
) -> Iterator[TimedFrame]:
    """Drop frames whose time is damaged: it goes back, is later than the next, or jumps by more than ``longest`` s."""
    largest_step = Fraction(longest) + 1  # a second more, because frames can be decoded in another order than shown
    last: Fraction | None = None
    held: TimedFrame | None = None
    for timed in frames:
        time = timed[0]
        if held is None:
            held = timed
        elif time > held[0] + largest_step or (last is not None and time <= last):
            damage.lost += target is None or time >= target
        elif time > held[0]:
            yield held
            last, held = held[0], timed
        else:
            damage.lost += target is None or time >= target
            held = timed
    if held:
        yield held


def first_time(path: StrPath, kind: Kind) -> Fraction:
    """The time of the stream's first frame, in seconds on the file's own clock. Raises MediaError."""
    with closing(frames_from(path, kind)) as frames:
        time, _ = next(frames)
    return time


def filtered(graph: Any) -> Iterator[Any]:
    """The frames that a libav filter graph has ready."""
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, av.error.EOFError):
            return
        yield frame
