"""What PyAV, Pillow and OpenCV raise of a file, as the one error that clients expect."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import av.error
import cv2

from pipeline.media.errors import MediaError
from pipeline.runtime.paths import StrPath

_LIBRARIES = re.compile(r"(^|-packages[\\/])(av|PIL|pillow_heif|cv2)[\\/]")
"""In the path of a library's source file; of PyAV's compiled modules the path is relative."""


def raised_by_library(error: BaseException) -> bool:
    """Whether a library of media raised ``error``, rather than this project's own code.

    A library's error has a frame of the library below the last frame of the project.
    """
    if isinstance(error, av.error.FFmpegError | cv2.error | MemoryError):
        return True
    below = False
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).startswith("pipeline."):
            below = False
        elif _LIBRARIES.search(frame.f_code.co_filename):
            below = True
    return below


def words_of(error: BaseException) -> str:
    """What a library says, in one line, without the file's path, which differs from machine to machine."""
    told = getattr(error, "strerror", None)
    if told:
        return str(told).lower()
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines and isinstance(error, Exception) else type(error).__name__


@contextmanager
def library_errors(path: StrPath) -> Iterator[None]:
    """Make a MediaError that names ``path`` of whatever a library of media raises in the block.

    Errors of the project's own code pass through.
    """
    try:
        yield
    except MediaError:
        raise
    except Exception as error:
        if not raised_by_library(error):
            raise
        advice = "Fetch it again, or convert it, for example to H.264 with AAC in an MP4."
        raise MediaError(path, f"it cannot be decoded ({words_of(error)})", advice) from error


@contextmanager
def library_errors_suppressed() -> Iterator[None]:
    """End the block quietly where a library of media raises; errors of the project's own code pass through."""
    try:
        yield
    except Exception as error:
        if not raised_by_library(error):
            raise
