"""File objects through which libav reads from pipes and writes to them.

Node.js, ssh, asyncio and shells that share a terminal leave pipes non-blocking. All processes that share a pipe share
that setting, so it is left as it is. PyAV prints an exception of a file object's method and goes on, so the classes
here keep the exception for `raise_pending`.
"""

from io import RawIOBase
from select import select
from typing import BinaryIO


def read_some(pipe: RawIOBase, count: int) -> bytes:
    """Up to ``count`` bytes, waiting until there are some; none at the end of the pipe."""
    while (content := pipe.read(count)) is None:  # a non-blocking pipe that is empty now
        select([pipe], [], [])
    return content


class _LibavFile:
    _error: BaseException | None = None  # also a signal, which comes while a pipe is waited for

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
        content = b""
        if not self._error:
            try:
                content = read_some(self._pipe, min(count, self._left))
            except BaseException as error:
                self._error = error
        self._left -= len(content)
        return content


class PipeSink(_LibavFile):
    """A file without seeking, such as a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        file.flush()
        self._file = getattr(file, "raw", file)  # a buffer loses data for which a non-blocking pipe has no room

    def write(self, data: bytes) -> int:
        """Called by libav: write all of ``data``, waiting while the pipe is full."""
        left = memoryview(data)
        try:
            while left:
                if (written := self._file.write(left)) is None:  # a non-blocking pipe that is full now
                    select([], [self._file], [])
                else:
                    left = left[written:]
        except BaseException as error:
            self._error = self._error or error
        return len(data)
