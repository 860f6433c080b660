"""Download one file of a record: resumed after interruptions, and checked."""

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError

from pipeline.corpora.download.web import Archive, Web, reason
from pipeline.runtime.errors import PipelineError

_CHUNK = 1 << 16
_PROGRESS = 1 << 20
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


def part_of(archive: Archive, folder: Path) -> Path:
    """The file that ``download`` writes."""
    return folder / f"{archive.name}.part"


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0


def download(archive: Archive, folder: Path, web: Web, on_size: Callable[[int], None] = lambda size: None) -> Path:
    """Download ``archive`` into ``folder``, check its size and checksum, and return the file.

    An earlier, interrupted download continues. Broken connections are retried, first at once, then after growing
    pauses, until ``web.retries.count`` retries in a row bring less than a mebibyte. ``on_size`` is called with the
    number of bytes so far.

    Raises PipelineError if the server fails for good (the partial file is kept), or size or checksum differ from the
    record (the file is deleted); OSError if the disk is full or refuses to write.
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
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(archive.algorithm, usedforsecurity=False)).hexdigest()
    if digest != archive.digest:
        part.unlink()
        raise PipelineError(
            f"{archive.name}: the checksum is {archive.algorithm}:{digest}, and the record says "
            f"{archive.algorithm}:{archive.digest}. The download was deleted and nothing was unpacked. Run the same "
            f"command again; if it is wrong again, something on the way changes the data: take another network."
        )
    return part


def _get_more(archive: Archive, part: Path, web: Web, on_size: Callable[[int], None]) -> str:
    """Append the data of one connection; returns why it ended."""
    with web.open(archive.url, size_of(part)) as response:
        start = _start(response, archive, size_of(part))
        if start is None:
            part.unlink()
            return "the server cannot go on where it was"
        with part.open("r+b" if start else "wb", buffering=0) as file:
            size = file.seek(start)
            try:
                # Write data as it arrives, not full chunks, so that a kill loses nothing.
                while chunk := response.raw.read1(_CHUNK, decode_content=False):
                    size += len(chunk)
                    if size > archive.size:
                        part.unlink()
                        raise _other_size(archive, "more")
                    file.write(chunk)
                    on_size(size)
            except HTTPError as error:
                return reason(error)
    return "the server closed it"


def _start(response: requests.Response, archive: Archive, requested: int) -> int | None:
    """The first byte of the response; None if it does not fit the request.

    Raises PipelineError, before anything is overwritten, if the response is not the record's file.
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
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None:
        return None
    if int(match[2]) != archive.size:
        raise _other_size(archive, match[2])
    return requested if response.status_code == 206 and match[1] and int(match[1]) == requested else None


def _other_size(archive: Archive, has: str) -> PipelineError:
    return PipelineError(
        f"{archive.name}: the server has {has} bytes where the record says {archive.size}. "
        f"Run the same command again later, or take the record from another address (--record)."
    )
