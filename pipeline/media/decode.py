"""Decoding one stream of a file, from any point, with exact times. Everything else about media is built on this.

Every file is decoded by one thread: the stages work on many clips at once, and threads inside a decoder would fight
for the same cores. libav writes nothing to stderr (PyAV keeps its log off by default).
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import Any, Literal

import av
import av.error
from av.stream import Disposition

from pipeline.media.errors import Damage, MediaError
from pipeline.media.upright import pixel_aspect
from pipeline.runtime.paths import StrPath

Kind = Literal["video", "audio"]
TimedFrame = tuple[Fraction, Any]
"""The time in seconds on the file's own clock, and PyAV's frame."""

_MAX_JUMP = 60  # s between two frames, above which the time stamp is taken for damaged
# s to aim before the target, until a frame lies before it. Never at the target itself: in MPEG program streams the
# first frames after a seek can have their neighbour's time.
_SEEK_MARGINS = (Fraction(1), Fraction(4), Fraction(16))


@contextmanager
def opened(path: StrPath) -> Iterator[Any]:
    """The opened container of ``path``.

    Raises MediaError for whatever is wrong: no such file, a folder, a pipe, no permission, zero bytes, no media file,
    broken off.
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
    except (OSError, av.error.FFmpegError) as error:
        reason = f"not a media file, or broken off ({_words(error)})"
        raise MediaError(path, reason, "Fetch it again or remove it.") from None
    with container:
        yield container


def _words(error: Exception) -> str:
    """libav's words without the path, which differs from machine to machine."""
    return str(getattr(error, "strerror", None) or type(error).__name__).lower()


def find_stream(container: Any, kind: Kind) -> Any:
    """The first stream of ``kind``, or None; a picture attached to a sound file is not a video."""
    for stream in getattr(container.streams, kind):
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _need_stream(container: Any, path: StrPath, kind: Kind) -> Any:
    stream = find_stream(container, kind)
    if stream is None:
        raise MediaError(path, f"no {kind} stream", f"Use a file with {'a picture' if kind == 'video' else 'sound'}.")
    if stream.codec_context is None:
        raise MediaError(path, f"its {kind} codec is not supported", "Convert it, for example to H.264 with AAC.")
    stream.codec_context.thread_count = 1
    return stream


def source_rate(stream: Any) -> Fraction:
    """Frames per second as the container says; 25 where it says nothing."""
    return Fraction(stream.average_rate or stream.guessed_rate or 25)


def frames_from(
    path: StrPath, kind: Kind, target: Fraction | None = None, damage: Damage | None = None
) -> Generator[TimedFrame, None, None]:
    """All frames of the first stream of ``kind``, times rising, from the one on at ``target`` or an earlier one.

    ``target`` is on the file's own clock; None is the beginning. ``damage`` counts what goes wrong from the target on.
    The frames are the decoder's: copy what is kept. Raises MediaError when the file or the stream is not there, or when
    nothing in it can be decoded.
    """
    damage = damage or Damage()
    for margin in (*_SEEK_MARGINS, None) if target is not None else (None,):
        with opened(path) as container:
            stream = _need_stream(container, path, kind)
            if margin is not None and target is not None and not _seek(container, stream, target - margin):
                continue
            before = (damage.lost, damage.concealed)
            frames = _in_order(_decoded(container, stream, damage, target), damage, target)
            head = next(frames, None)
            if margin is None and head is None:
                raise MediaError(path, f"no {kind} in it could be decoded", "Fetch it again or remove it.")
            if margin is None or (head is not None and target is not None and head[0] <= target):
                assert head is not None
                yield from chain([head], frames)
                return
            damage.lost, damage.concealed = before  # the container's index led past the target: aim further back


def _seek(container: Any, stream: Any, time: Fraction) -> bool:
    try:
        container.seek(int(time / stream.time_base), stream=stream)
    except (OSError, av.error.FFmpegError):
        return False
    return True


def _decoded(container: Any, stream: Any, damage: Damage, since: Fraction | None) -> Iterator[TimedFrame]:
    """Decode on over damaged packets. A frame without a time follows the one before."""
    step = 1 / source_rate(stream) if stream.type == "video" else Fraction(1, 50)
    time: Fraction | None = None

    def counts() -> bool:
        return since is None or (time is not None and time >= since)

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (OSError, av.error.FFmpegError):  # the container breaks off here
            damage.lost += counts()
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except (OSError, av.error.FFmpegError):
            damage.lost += counts()
            continue
        for frame in frames:
            time = frame.pts * Fraction(frame.time_base) if frame.pts is not None else (time or Fraction(0)) + step
            damage.concealed += counts() and frame.is_corrupt
            if stream.type == "video":
                frame.opaque = pixel_aspect(stream)  # PyAV's frame does not tell it
            yield time, frame


def _in_order(frames: Iterator[TimedFrame], damage: Damage, since: Fraction | None) -> Iterator[TimedFrame]:
    """Drop frames whose time is damaged: it goes back, is later than the next one, or jumps by more than a minute."""
    last: Fraction | None = None
    held: TimedFrame | None = None
    for timed in frames:
        time = timed[0]
        if held is None:
            held = timed
        elif time > held[0] + _MAX_JUMP or (last is not None and time <= last):
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
