"""What a media file holds, without decoding all of it."""

from dataclasses import dataclass

import av
import av.error

from pipeline.media.decode import clocks_of, find_streams, first_time, need_stream, opened, source_rate, streams_of
from pipeline.media.errors import OTHER_FILE, MediaError, library_errors_suppressed
from pipeline.media.timeline import Join
from pipeline.runtime.paths import StrPath

_REFERENCING = {
    "concat", "dash", "hds", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "smoothstreaming", "tee", "vobsub",
    "webm_dash_manifest", "alsa", "fbdev", "kmsgrab", "oss", "video4linux2,v4l2", "x11grab",
}  # fmt: skip
"""Formats whose files name other files, hosts or devices, which libav would open."""
_SELF_CONTAINED = ",".join(sorted(av.formats_available - _REFERENCING))


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds."""

    has_video: bool
    has_audio: bool
    fps: float
    """Mean frames per second according to the container; 0 without video."""
    duration: float
    """Seconds according to the container. Only decoding tells the true duration."""
    audio_offset: float
    """Seconds from the start of the video to the start of the sound; 0 when one of them is missing."""
    joins: tuple[Join, ...]
    """Where time stamps restart or jump, on the clock of the video or, without video, of the sound."""


def probe(path: StrPath) -> MediaInfo:
    """Read the header of ``path`` and the first frame of each stream.

    Raises MediaError when the file is not a media file, or its video and sound cannot be decoded.
    """
    with opened(path) as container:
        streams = find_streams(container)
        if not streams:
            raise MediaError(path, "no video stream and no audio stream", OTHER_FILE)
        kind, main = next(iter(streams.items()))
        duration = float(main.duration * main.time_base) if main.duration else (container.duration or 0) / 1e6
        fps = float(source_rate(main)) if kind == "video" else 0.0
    starts = [first_time(path, kind) for kind in streams]
    start = float(starts[0])
    clocks, joins = clocks_of(path)
    if joins:  # the container's duration leaves out what follows a join
        duration = clocks[kind].end - start
    return MediaInfo(
        has_video="video" in streams,
        has_audio="audio" in streams,
        fps=fps,
        duration=duration,
        audio_offset=float(starts[-1] - starts[0]),
        joins=tuple(Join(join.time - start, join.ahead) for join in joins),
    )


def sound_rate(path: StrPath) -> int:
    """Samples per second of the sound. Raises MediaError when the file cannot be opened or has no sound."""
    with opened(path) as container:
        return int(need_stream(container, path, "audio").rate)


def sound_warnings(path: StrPath) -> list[str]:
    """Warnings about unused sound tracks and joined recordings. Raises MediaError when the file cannot be opened."""
    warnings = []
    with opened(path) as container:
        tracks = [track.index for track in streams_of(container, "audio")]
    if len(tracks) > 1:
        number = 1 + sorted(tracks).index(tracks[0])
        warnings.append(f"{len(tracks)} sound tracks, of which number {number} is heard")
    joins = clocks_of(path)[1]
    jumps = sum(join.ahead for join in joins)
    for verb, count in (("restart", len(joins) - jumps), ("jump", jumps)):
        if count:
            warnings.append(f"timestamps {verb} in the file, {count} time{'s' * (count > 1)}; the parts are joined")
    return warnings


def check_self_contained(path: StrPath) -> None:
    """Raise MediaError for a format that may name other files, through which an upload could read this machine.

    Other defects of the file are left to its reader.
    """
    with library_errors_suppressed():
        try:
            av.open(f"file:{path}", options={"format_whitelist": _SELF_CONTAINED}, metadata_errors="ignore").close()
        except av.error.ArgumentError:
            advice = "Give one that holds all it shows."
            raise MediaError(path, "of a format that may name other files", advice) from None
