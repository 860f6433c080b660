"""What a media file holds."""

from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

from pipeline.media.decode import find_stream, first_time, frames_from, opened, source_rate
from pipeline.media.errors import MediaError
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
        with closing(frames_from(path, "video")) as frames:
            video_start, frame = next(frames)
            rotation = orientation(frame)[0] * 90
            width, height = shown_size(frame)
    if audio is not None:
        audio_start = first_time(path, "audio")
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
    )
