"""Reading and writing of pipes, also of those that do not wait themselves.

Node.js, ssh, asyncio and shells that share a terminal leave pipes non-blocking. All processes that share a pipe share
that setting, so it stays as it is.
"""

from io import RawIOBase
from select import select
from typing import BinaryIO


def read_some(pipe: RawIOBase, count: int) -> bytes:
    """Up to ``count`` bytes, waiting until there are some; none at the end of the pipe."""
    while (content := pipe.read(count)) is None:  # there are none yet
        select([pipe], [], [])
    return content


def write_all(file: RawIOBase | BinaryIO, data: bytes) -> None:
    """Write all of ``data``, waiting until there is room. Raises OSError where the file takes no more.

    ``file`` is unbuffered, or a file that always waits.
    """
    left = memoryview(data)
    while len(left):
        written = file.write(left)
        if written is None:  # there is no room yet
            select([], [file], [])
        else:
            left = left[written:]
