"""File objects through which libav reads from pipes and writes to them.

Node.js, ssh, asyncio and shells that share a terminal leave pipes non-blocking. All processes that share a pipe share
that setting, so it is left as it is.

PyAV prints an exception that is raised in a file object's method, and goes on. The classes here therefore keep the
exception, and the caller asks for it with `raise_pending`.
"""

from io import RawIOBase
from select import select
from typing import BinaryIO


def read_some(pipe: RawIOBase, count: int) -> bytes:
    """Up to ``count`` bytes, waiting until there are some; none at the end of the pipe."""
    while (content := pipe.read(count)) is None:  # a non-blocking pipe that is empty now
        select([pipe], [], [])
    return content


def write_all(file: RawIOBase | BinaryIO, data: bytes) -> None:
    """Write all of ``data`` to an unbuffered file, waiting while a pipe is full. Raises OSError when it fails."""
    left = memoryview(data)
    while len(left):
        written = file.write(left)
        if written is None:  # a non-blocking pipe that is full now
            select([], [file], [])
        else:
            left = left[written:]


class _LibavFile:
    _error: BaseException | None = None

    def raise_pending(self) -> None:
        """Raise the exception that reading or writing ended with, if any."""
        if self._error:
            raise self._error


class PipeSource(_LibavFile):
    """The next ``length`` bytes of a pipe."""

    def __init__(self, pipe: RawIOBase, length: int) -> None:
        self._pipe, self._left = pipe, length

    def read(self, count: int) -> bytes:
        """Called by libav: up to ``count`` bytes, none at the end or after an error."""
        if self._error:
            return b""
        try:
            content = read_some(self._pipe, min(count, self._left))
        except BaseException as error:  # most often a signal, which comes while a pipe is waited for
            self._error = error
            return b""
        self._left -= len(content)
        return content


class PipeSink(_LibavFile):
    """A file without seeking, such as a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        file.flush()
        self._file = getattr(file, "raw", file)  # a buffer loses data for which a non-blocking pipe has no room

    def write(self, data: bytes) -> int:
        """Called by libav: write all of ``data``."""
        try:
            write_all(self._file, data)
        except BaseException as error:  # also a signal, which comes while the reader is waited for
            self._error = self._error or error
        return len(data)
