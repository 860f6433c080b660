"""Errors of media files, and the count of damage that decoding survives."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av.error
import cv2

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

_LIBRARIES = re.compile(r"(^|-packages[\\/])(av|PIL|pillow_heif|cv2)[\\/]")  # PyAV's modules have relative paths


OTHER_FILE = "Give another file, or fetch this one again."
"""Advice for a file that cannot be read. The user may have named the wrong one."""


class MediaError(PipelineError):
    """A media file that cannot be read or written. ``reason`` does not name the file, so it is the same everywhere."""

    separator = ": "

    def __init__(self, path: StrPath, reason: str, advice: str = "") -> None:
        super().__init__(reason, subject=path, advice=advice)
        self.path = Path(path)

    def __reduce__(self) -> tuple[type["MediaError"], tuple[Path, str, str]]:
        """Pickle the three arguments, so that worker processes can return the exception."""
        return MediaError, (self.path, self.reason, self.advice)


@dataclass
class Damage:
    """Counts what a decoder could not read. Pass one in and read it when decoding has finished."""

    lost: int = 0
    """Packets without a frame, frames without a usable time, and streams that end early."""
    concealed: int = 0
    """Frames with bitstream errors that the decoder concealed."""

    def __str__(self) -> str:
        """For example ``1 frame concealed, 2 packets lost``; empty without damage."""
        counts = ((self.concealed, "frame", "concealed"), (self.lost, "packet", "lost"))
        return ", ".join(f"{count} {noun}{'s' * (count > 1)} {verb}" for count, noun, verb in counts if count)


def raised_by_library(error: BaseException) -> bool:
    """Whether a file or media library raised ``error``: then a library's frame lies below the project's last one."""
    if isinstance(error, av.error.FFmpegError | cv2.error | MemoryError | OSError):
        return True
    in_library = False
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).startswith("pipeline."):
            in_library = False
        elif _LIBRARIES.search(frame.f_code.co_filename):
            in_library = True
    return in_library


def error_text(error: BaseException) -> str:
    """A library's error in one line, without the file's path, which differs between machines."""
    if message := getattr(error, "strerror", None):
        return str(message).lower()
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])


@contextmanager
def library_errors(
    path: StrPath,
    reason: str = "it cannot be decoded",
    advice: str = "Fetch it again, or convert it, for example to H.264 with AAC in an MP4.",
) -> Iterator[None]:
    """Turn errors that media libraries raise in the block into a MediaError for ``path``; others pass through."""
    try:
        yield
    except MediaError:
        raise
    except Exception as error:
        if not raised_by_library(error):
            raise
        raise MediaError(path, f"{reason} ({error_text(error)})", advice) from error


@contextmanager
def library_errors_suppressed() -> Iterator[None]:
    """End the block silently when a media library raises an error; others pass through."""
    try:
        yield
    except Exception as error:
        if not raised_by_library(error):
            raise
