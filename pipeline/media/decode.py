"""Decoding one stream of a file by one thread, from any point, with exact times."""

import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, Literal

import av
import av.error
from av.stream import Disposition

from pipeline.media.errors import OTHER_FILE, Damage, MediaError, library_errors, library_errors_suppressed
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
    """Open the container ``path``. Raises MediaError when it cannot be read, and for libraries' errors in the block."""
    with library_errors(path, "not a media file, or incomplete", OTHER_FILE):
        try:
            stat = os.stat(path)
            if not S_ISREG(stat.st_mode):
                kind = "folder" if S_ISDIR(stat.st_mode) else "pipe or device"
                raise MediaError(path, f"a {kind}, not a file", "Name a media file.")
            if stat.st_size == 0:
                raise MediaError(path, "the file is empty (0 bytes)", OTHER_FILE)
            # "file:" keeps libav from reading a colon in the name as a protocol.
            container = av.open(f"file:{Path(path)}", metadata_errors="ignore")
        except FileNotFoundError:
            raise MediaError(path, "no such file", "Check the name.") from None
        except PermissionError:
            raise MediaError(path, "no permission to read the file", "Fix the file's permissions.") from None
    with library_errors(path), container:
        yield container


def streams_of(container: Any, kind: Kind) -> list[Any]:
    """The streams of ``kind`` in the order in which players prefer them.

    Streams that can be decoded come first, then the ones marked default, then those that are neither a comment nor made
    for the blind or deaf. A picture attached to a sound file is not a video.
    """

    def rank(stream: Any) -> tuple[bool, bool, bool]:
        marks = stream.disposition
        return stream.codec_context is None, not marks & Disposition.default, bool(marks & _SECONDARY)

    streams = [stream for stream in getattr(container.streams, kind) if not stream.disposition & _ATTACHED]
    return sorted(streams, key=rank)


def find_stream(container: Any, kind: Kind) -> Any:
    """The stream of ``kind`` that players use, or None."""
    return next(iter(streams_of(container, kind)), None)


def find_streams(container: Any) -> dict[Kind, Any]:
    """The video and the sound that players use; a missing one is left out."""
    kinds: tuple[Kind, ...] = ("video", "audio")
    return {kind: stream for kind in kinds if (stream := find_stream(container, kind)) is not None}


def need_stream(container: Any, path: StrPath, kind: Kind) -> Any:
    """As `find_stream`, but raises MediaError when there is none or it cannot be decoded."""
    stream = find_stream(container, kind)
    if stream is None:
        raise MediaError(path, f"no {kind} stream", f"Use a file with {'a picture' if kind == 'video' else 'sound'}.")
    context = stream.codec_context
    if context is None:
        raise MediaError(path, f"its {kind} codec is not supported", "Convert it, for example to H.264 with AAC.")
    if kind == "video":
        width, height = context.width, context.height
        if width * height > _MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise MediaError(path, "its picture has too many pixels", "Make it smaller, for example 1920 pixels wide.")
    context.thread_count = 1  # stages work on many clips at once: more threads would compete for the cores
    return stream


def source_rate(stream: Any) -> Fraction:
    """Frames per second according to the container, or 25."""
    return Fraction(stream.average_rate or stream.guessed_rate or 25)


def clocks_of(path: StrPath) -> tuple[dict[Kind, Clock], list[Join]]:
    """The clocks of the file's video and sound, and where time stamps restart or jump. Raises MediaError."""
    stat = os.stat(path) if os.path.exists(path) else None  # without it, opening the file raises the MediaError
    return _clocks_of(Path(path), stat and (stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=256)
def _clocks_of(path: Path, state: tuple[int, int] | None) -> tuple[dict[Kind, Clock], list[Join]]:
    with opened(path) as container:
        streams = find_streams(container)
        if "mp4" in container.format.name and all(map(is_even, streams.values())):  # its index lists all packets
            return {kind: Clock() for kind in streams}, []
        by_index, joins = clocks(container.demux(*streams.values()), list(streams.values()))
        return {kind: by_index[stream.index] for kind, stream in streams.items()}, joins


def frames_from(
    path: StrPath, kind: Kind, target: Fraction | None = None, damage: Damage | None = None
) -> Generator[TimedFrame, None, None]:
    """The frames of the file's video or sound in the order of their times.

    The first frame is the one shown at ``target`` seconds on the file's own clock, or an earlier one; None is the
    beginning. The frames belong to the decoder: copy what you keep. ``damage`` counts what cannot be decoded from
    ``target`` on. Raises MediaError when the file or stream does not exist, or nothing in it can be decoded.
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
        packet = frames = None
        with library_errors_suppressed():
            packet = next(packets, None)
            frames = [] if packet is None else decoder.decode(packet)
        if frames is None:  # an error; without a packet, the container breaks off here
            damage.lost += counts()
        if packet is None:
            return
        for frame in frames or ():
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
        return next(frames)[0]


def filtered(graph: Any) -> Iterator[Any]:
    """The frames that a libav filter graph has ready."""
    with suppress(BlockingIOError, av.error.EOFError):
        while True:
            yield graph.pull()
