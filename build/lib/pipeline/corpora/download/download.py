"""One file of a record onto the disk: resumed where it broke off, and checked."""

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError

from pipeline.corpora.download.record import Archive
from pipeline.corpora.download.web import Web, reason
from pipeline.runtime.errors import PipelineError

_CHUNK = 1 << 16
_PROGRESS = 1 << 20
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


def part_of(archive: Archive, folder: Path) -> Path:
    """Where ``download`` puts the archive."""
    return folder / f"{archive.name}.part"


def size_of(path: Path) -> int:
    """Bytes that are there; 0 where there is no file."""
    return path.stat().st_size if path.exists() else 0


def download(archive: Archive, folder: Path, web: Web, on_size: Callable[[int], None] = lambda size: None) -> Path:
    """The archive as a file in ``folder``, of the record's size and checksum.

    What an earlier call left there is gone on with, also after a kill. A connection that breaks off is taken up again
    at once and then at longer and longer intervals, until ``web.retries.count`` failures have brought less than a
    mebibyte together. ``on_size`` hears how many bytes are there.

    Raises PipelineError when the server gives up (what arrived stays), when it has more or fewer bytes than the record
    says, and when the checksum is another (the file is then deleted); OSError when the disk refuses.
    """
    part = part_of(archive, folder)
    if size_of(part) > archive.size:
        part.unlink()
    reached, failures = size_of(part), 0
    on_size(reached)
    while size_of(part) < archive.size:
        why = _get_more(archive, part, web, on_size)
        if size_of(part) >= reached + _PROGRESS:
            reached, failures = size_of(part), 0
        if size_of(part) == archive.size:
            break
        failures += 1
        if failures > web.retries.count:
            raise PipelineError(
                f"{archive.name}: the connection breaks off again and again, at {size_of(part)} of {archive.size} "
                f"bytes ({why}). What arrived is kept: run the same command again, and it goes on from there."
            )
        time.sleep(web.retries.before(failures))
    _check(archive, part)
    return part


def _get_more(archive: Archive, part: Path, web: Web, on_size: Callable[[int], None]) -> str:
    """Append what one connection brings, and say why it ended."""
    with web.open(archive.url, size_of(part)) as response:
        start = _start(response, archive, size_of(part))
        if start is None:
            part.unlink()
            return "the server cannot go on where it was"
        with part.open("r+b" if start else "wb", buffering=0) as file:
            there = file.seek(start)
            try:
                # What is there at once, not a chunk that waits to be full: a break or a kill loses nothing.
                while chunk := response.raw.read1(_CHUNK, decode_content=False):
                    there += len(chunk)
                    if there > archive.size:
                        part.unlink()
                        raise _other_size(archive, "more")
                    file.write(chunk)
                    on_size(there)
            except HTTPError as error:
                return reason(error)
    return "the server closed it"


def _start(response: requests.Response, archive: Archive, asked: int) -> int | None:
    """The byte that the answer begins with; None where it is of no use.

    Raises PipelineError, before anything is overwritten, when the answer is not the record's file.
    """
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise PipelineError(
                f"{archive.url} is a web page where {archive.name} should be. Does the network want a login first? "
                f"Then run the same command again; it goes on where it was."
            )
        if length.isdigit() and int(length) != archive.size:
            raise _other_size(archive, length)
        return 0
    said = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if said is None:
        return None
    if int(said[2]) != archive.size:
        raise _other_size(archive, said[2])
    return asked if response.status_code == 206 and said[1] and int(said[1]) == asked else None


def _other_size(archive: Archive, has: str) -> PipelineError:
    return PipelineError(
        f"{archive.name}: the server has {has} bytes where the record says {archive.size}. "
        f"Run the same command again later, or take the record from another address (--record)."
    )


def _check(archive: Archive, part: Path) -> None:
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(archive.algorithm, usedforsecurity=False)).hexdigest()
    if digest != archive.digest:
        part.unlink()
        raise PipelineError(
            f"{archive.name}: the checksum is {archive.algorithm}:{digest}, and the record says "
            f"{archive.algorithm}:{archive.digest}. The download was deleted and nothing was unpacked. Run the same "
            f"command again; if it is wrong again, something on the way changes the data: take another network."
        )
