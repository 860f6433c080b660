"""What a media file holds."""

from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

from pipeline.media.decode import (
    clocks_of,
    find_stream,
    first_time,
    frames_from,
    need_stream,
    opened,
    source_rate,
    streams_of,
)
from pipeline.media.errors import MediaError
from pipeline.media.library import library_errors
from pipeline.media.timeline import Join
from pipeline.media.upright import orientation, shown_size
from pipeline.runtime.paths import StrPath


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds; sizes are as shown: turned, and with square pixels."""

    has_video: bool
    has_audio: bool
    width: int
    """Pixels; 0 without video."""
    height: int
    """Pixels; 0 without video."""
    fps: float
    """Frames per second on average, as the container says; 0 without video."""
    duration: float
    """Seconds, as the container says; the true length is known after decoding alone."""
    audio_offset: float
    """Start of the audio minus start of the video, s; 0 when one of them is missing."""
    rotation: int
    """Quarter turns the picture is shown with, in degrees counter-clockwise: 0, 90, 180 or 270."""
    joins: tuple[Join, ...]
    """Where time stamps restart or jump, on the video's clock; without video, the sound's."""


def sound_rate(path: StrPath) -> int:
    """Samples per second of the sound that is heard.

    Raises MediaError when the file cannot be opened, or has no sound.
    """
    with opened(path) as container:
        return int(need_stream(container, path, "audio").rate)


def sound_warnings(path: StrPath) -> list[str]:
    """What is unusual about the file's sound, in words: more tracks than the one that is heard, joined recordings.

    Raises MediaError when the file cannot be opened.
    """
    warnings = []
    with opened(path) as container:
        tracks = streams_of(container, "audio")
        if len(tracks) > 1:
            number = 1 + sorted(track.index for track in tracks).index(tracks[0].index)
            warnings.append(f"{len(tracks)} sound tracks, of which number {number} is heard")
    joins = clocks_of(path)[1]
    for how, count in (("restart", sum(not one.ahead for one in joins)), ("jump", sum(one.ahead for one in joins))):
        if count:
            warnings.append(f"timestamps {how} in the file, {count} time{'s' * (count > 1)}; the parts are joined")
    return warnings


def probe(path: StrPath) -> MediaInfo:
    """Read of ``path``: the header, and the first frame of each stream.

    Raises MediaError when the file is not a readable media file, or has neither video nor audio that can be decoded.
    """
    with opened(path) as container:
        video, audio = find_stream(container, "video"), find_stream(container, "audio")
        if video is None and audio is None:
            raise MediaError(path, "no video stream and no audio stream", "Fetch it again or remove it.")
        main = video or audio
        duration = 0.0
        if main.duration:
            duration = float(main.duration * main.time_base)
        elif container.duration:
            duration = container.duration / 1e6
        fps = float(source_rate(video)) if video else 0.0
    width = height = rotation = 0
    video_start: Fraction | None = None
    audio_start: Fraction | None = None
    if video is not None:
        with library_errors(path), closing(frames_from(path, "video")) as frames:
            video_start, frame = next(frames)
            rotation = orientation(frame)[0] * 90
            width, height = shown_size(frame)
    if audio is not None:
        audio_start = first_time(path, "audio")
    clocks, joins = clocks_of(path)
    begin = float(video_start if video_start is not None else audio_start or 0)
    if joins:  # the container knows nothing of what comes behind
        duration = clocks["video" if video_start is not None else "audio"].end - begin
    offset = 0.0
    if audio_start is not None and video_start is not None:
        offset = float(audio_start - video_start)
    return MediaInfo(
        has_video=video is not None,
        has_audio=audio is not None,
        width=width,
        height=height,
        fps=fps,
        duration=duration,
        audio_offset=offset,
        rotation=rotation,
        joins=tuple(Join(join.time - begin, join.ahead) for join in joins),
    )
