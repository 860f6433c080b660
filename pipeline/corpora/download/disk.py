"""The disk of a download: free space, a lock, clear errors, and receipts of unpacked files."""

import errno
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.filesize import decimal

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing

_STATE = ".fetch"  # the folder of downloads, receipts and the lock, below the corpus's folder


def need_room(folder: Path, needed: int, what: str) -> None:
    """Raise PipelineError unless the disk of ``folder`` has ``needed`` bytes free for ``what``."""
    free = shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if path.exists())).free
    if free < needed:
        raise PipelineError(
            f"{what} needs {decimal(needed)}, and {decimal(free)} are free: {decimal(needed - free)} are missing",
            subject=f"{folder}:",
            advice="Free some space, name fewer speakers (--speakers), or take a folder on another disk (--to).",
        )


@contextmanager
def clear_disk_errors(folder: Path) -> Iterator[None]:
    """Turn disk errors below ``folder`` into a PipelineError with advice."""
    try:
        yield
    except OSError as error:
        advice = "Fix that, or take another folder (--to)."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "Free some space, then run the same command again; it goes on where it was."
        reason = f"cannot be written: {error.strerror or error}"
        raise PipelineError(reason, subject=error.filename or folder, advice=advice) from error


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[Path]:
    """Make and lock a folder for unfinished downloads in ``folder``. PipelineError if another command works in it."""
    state = folder / _STATE
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # closing the file releases it, also after a kill
        except BlockingIOError:
            raise PipelineError(
                f"Another atvgnet fetch is at work in {folder}. Wait for it, or name other speakers "
                f"and another folder (--to)."
            ) from None
        yield state


def read_receipt(folder: Path, name: str) -> dict[str, int] | None:
    """The files of ``name`` below ``folder`` with their sizes; None unless all exist with these sizes."""
    try:
        files: dict[str, int] = json.loads((folder / _STATE / f"{name}.json").read_text(encoding="utf-8"))
        complete = all((folder / path).stat().st_size == size for path, size in files.items())
    except (OSError, ValueError):
        return None
    return files if complete else None


def write_receipt(folder: Path, name: str, files: Mapping[str, int]) -> None:
    """Record that ``files`` are all files of ``name`` below ``folder``."""
    with replacing(folder / _STATE / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(files), encoding="utf-8")
