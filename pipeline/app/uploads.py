"""What may be made a video of: a file that was uploaded, is what it seems to be, and is not too long."""

from contextlib import suppress
from pathlib import Path

import av
import av.error

from pipeline.media import read_audio_blocks
from pipeline.runtime.clock import FPS, RATE
from pipeline.runtime.errors import PipelineError

BYTES = 100_000_000
"""The largest upload."""

_SELF_CONTAINED = (
    *("wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "flac", "ogg", "amr", "mov", "mp4", "matroska", "webm"),
    *("avi", "asf", "flv", "mpeg", "mpegts", "mpegvideo", "m4v", "h264", "hevc", "gif", "image2"),
    *(name for name in av.formats_available if name.endswith("_pipe")),  # pictures
)
"""Formats that hold sound and pictures themselves. Others, such as playlists, name files, which libav would open."""


def check_format(path: Path) -> None:
    """PipelineError for a file of a format that may name other files; whoever reads it finds what else is wrong."""
    with suppress(OSError, av.error.FFmpegError):
        try:
            av.open(f"file:{path}", options={"format_whitelist": ",".join(_SELF_CONTAINED)}).close()
        except av.error.ArgumentError:
            raise PipelineError(
                f"{path} is of a format that this page does not take. Give a JPEG or PNG, a WAV or MP3, or an MP4."
            ) from None


def check_length(path: Path, seconds: float) -> None:
    """PipelineError for sound of more than ``seconds``, of which no more than that is decoded."""
    heard = read_audio_blocks(path, duration=seconds + 1 / FPS, by_itself=True)
    if sum(map(len, heard)) > seconds * RATE:
        raise PipelineError(f"The speech is longer than {seconds:g} seconds, which this page takes at most. Cut it.")
