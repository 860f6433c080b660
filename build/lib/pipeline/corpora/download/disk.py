"""The disk that downloads go to: enough room, one process at a time, errors in words."""

import errno
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rich.filesize

from pipeline.runtime.errors import PipelineError


def need_room(folder: Path, needed: int, what: str) -> None:
    """PipelineError saying how much is missing unless the disk of ``folder`` has ``needed`` bytes free for ``what``."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise PipelineError(
            f"{folder}: {what} needs {_size(needed)}, and {_size(free)} are free: {_size(needed - free)} are missing. "
            f"Free some space, name fewer speakers (--speakers), or take a folder on another disk (--to)."
        )


@contextmanager
def clear_disk_errors(folder: Path) -> Iterator[None]:
    """Say what the disk of ``folder`` refuses, and what to do, as PipelineError."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "Free some space, then run the same command again; it goes on where it was."
        else:
            advice = "Fix that, or take another folder (--to)."
        raise PipelineError(f"{where} cannot be written: {error.strerror or error}. {advice}") from error


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep a second command out of ``folder``, which is made: two would write the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # released when the file is closed, by a kill too
        except BlockingIOError:
            raise PipelineError(
                f"Another atvgnet fetch is at work in {folder.parent}. Wait for it, or name other speakers "
                f"and another folder (--to)."
            ) from None
        yield


def _size(count: int) -> str:
    return rich.filesize.decimal(count)
