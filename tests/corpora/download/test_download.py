"""Downloads from correct and from faulty servers."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.download.disk import clear_disk_errors
from pipeline.corpora.download.download import download, part_of
from pipeline.corpora.download.web import Archive, Retries, Web, read_record
from pipeline.runtime.errors import PipelineError
from tests.corpora.download.server import (
    Behaviour,
    Zenodo,
    breaks_off,
    dribbles,
    sends,
    serve,
    stalls,
    status,
    without_ranges,
)

DATA = np.random.default_rng(0).bytes(400_000)
SIZE = len(DATA)
NAME = "s1.zip"
HALF = 200_000


@pytest.fixture
def archive(zenodo: Zenodo) -> Archive:
    zenodo.files[NAME] = DATA
    return Archive(NAME, SIZE, "md5", hashlib.md5(DATA).hexdigest(), f"{zenodo.record}/files/{NAME}/content")


def test_a_good_server(zenodo: Zenodo, archive: Archive, web: Web, tmp_path: Path) -> None:
    heard: list[int] = []
    part = download(archive, tmp_path, web, heard.append)
    assert part == tmp_path / "s1.zip.part"
    assert part.read_bytes() == DATA
    assert (heard[0], heard[-1]) == (0, SIZE)
    assert heard == sorted(heard)
    assert zenodo.asked(NAME) == [""]
    assert download(archive, tmp_path, web) == part
    assert zenodo.asked(NAME) == [""]


@pytest.mark.parametrize(
    ("acts", "ranges"),
    [
        ([breaks_off(HALF), serve], ["", f"bytes={HALF}-"]),
        ([breaks_off(HALF), breaks_off(1000), serve], ["", f"bytes={HALF}-", f"bytes={HALF + 1000}-"]),
        ([breaks_off(0), serve], ["", ""]),
        ([breaks_off(HALF, reset=True), serve], ["", f"bytes={HALF}-"]),
        ([stalls(HALF), serve], ["", f"bytes={HALF}-"]),
        # Ranges are ignored, or are others than was asked for: the file starts again.
        ([breaks_off(HALF), without_ranges], ["", f"bytes={HALF}-"]),
        ([breaks_off(HALF), status(416), serve], ["", f"bytes={HALF}-", ""]),
        (
            [
                breaks_off(HALF),
                sends(lambda data: data[5:], code=206, Content_Range=f"bytes 5-{SIZE - 1}/{SIZE}"),
                serve,
            ],
            ["", f"bytes={HALF}-", ""],
        ),
        ([breaks_off(HALF), sends(lambda data: data, code=206), serve], ["", f"bytes={HALF}-", ""]),
        # A range that ends early is a beginning.
        (
            [
                breaks_off(HALF),
                sends(lambda data: data[HALF:300_000], code=206, Content_Range=f"bytes {HALF}-299999/{SIZE}"),
                serve,
            ],
            ["", f"bytes={HALF}-", "bytes=300000-"],
        ),
        ([status(503), status(429, Retry_After=0), serve], ["", "", ""]),
        ([breaks_off(HALF), status(502), serve], ["", f"bytes={HALF}-", f"bytes={HALF}-"]),
        ([dribbles(50_000, 0.01)], [""]),
        ([sends(lambda data: data, length=False)], [""]),
    ],
)
def test_temporary_failures_are_retried(
    zenodo: Zenodo, archive: Archive, tmp_path: Path, acts: list[Behaviour], ranges: list[str]
) -> None:
    zenodo.acts[NAME] = acts
    impatient = Web(Retries(count=3, pause=0.0, timeout=0.3))
    assert download(archive, tmp_path, impatient).read_bytes() == DATA
    assert zenodo.asked(NAME) == ranges


@pytest.mark.parametrize(
    ("acts", "message", "kept"),
    [
        (
            [breaks_off(1000)],
            r"breaks off again and again, at 4000 of 400000 bytes \(.+\)\. What arrived is kept: run the same",
            4000,
        ),
        ([breaks_off(HALF), breaks_off(HALF, ranges=False)], r"breaks off again and again, at 200000 of 400000", HALF),
        ([breaks_off(HALF), status(404)], r"s1\.zip/content is refused: 404 Not Found\. .*--record", HALF),
        ([breaks_off(HALF), status(503)], r"is refused: 503 Service Unavailable\. .*run the same command", HALF),
        (
            [sends(lambda data: data + b"more")],
            r"s1\.zip: the server has 400004 bytes where the record says 400000\.",
            None,
        ),
        ([sends(lambda data: data[:-1])], r"the server has 399999 bytes where the record says 400000", None),
        ([sends(lambda data: data + b"more", length=False)], r"has more bytes where the record says 400000", None),
        ([sends(lambda data: data[:-1], length=False), serve], None, SIZE),
        (
            [sends(lambda data: data[:-1], length=False), status(416, Content_Range="bytes */399999")],
            r"the server has 399999 bytes where the record says 400000",
            SIZE - 1,
        ),
        (
            [breaks_off(HALF), sends(lambda data: b"x", code=206, Content_Range=f"bytes {HALF}-{HALF}/{HALF + 1}")],
            r"the server has 200001 bytes where the record says 400000",
            HALF,
        ),
        # The login page of a network has the right status, and must not cost what is there.
        (
            [breaks_off(HALF), sends(lambda data: b"<html>", Content_Type="text/html; charset=utf-8")],
            r"is a web page where s1\.zip should be\. Does the network want a login",
            HALF,
        ),
        (
            [sends(lambda data: data[:-1] + b"\0")],
            r"s1\.zip: the checksum is md5:[0-9a-f]{32}, and the record says md5:[0-9a-f]{32}\. The download was del",
            None,
        ),
        (
            [sends(lambda data: b"\0" * HALF, length=False), serve],
            r"the checksum is md5:.*nothing was unpacked\. Run the same",
            None,
        ),
    ],
)
def test_permanent_failures_raise_an_error(
    zenodo: Zenodo,
    archive: Archive,
    web: Web,
    tmp_path: Path,
    acts: list[Behaviour],
    message: str | None,
    kept: int | None,
) -> None:
    zenodo.acts[NAME] = acts
    if message is None:
        download(archive, tmp_path, web)
    else:
        with pytest.raises(PipelineError, match=message):
            download(archive, tmp_path, web)
    part = part_of(archive, tmp_path)
    assert (part.stat().st_size if part.exists() else None) == kept
    zenodo.acts.clear()
    assert download(archive, tmp_path, web).read_bytes() == DATA


def test_many_interruptions_with_progress_are_retried(zenodo: Zenodo, tmp_path: Path, web: Web) -> None:
    data = DATA * 20
    zenodo.files[NAME] = data
    zenodo.acts[NAME] = [breaks_off(700_000)]
    archive = Archive(NAME, len(data), "md5", hashlib.md5(data).hexdigest(), f"{zenodo.record}/files/{NAME}/content")
    assert download(archive, tmp_path, web).read_bytes() == data
    assert len(zenodo.asked(NAME)) == 12 > web.retries.count


def test_a_partial_file_that_is_too_long_is_replaced(
    zenodo: Zenodo, archive: Archive, web: Web, tmp_path: Path
) -> None:
    part_of(archive, tmp_path).write_bytes(DATA + b"more")
    assert download(archive, tmp_path, web).read_bytes() == DATA
    assert zenodo.asked(NAME) == [""]


def test_a_full_disk(archive: Archive, web: Web, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    part_of(archive, tmp_path).symlink_to("/dev/full")
    with (
        pytest.raises(PipelineError, match=r"cannot be written: No space left on device\. Free some space, then run"),
        clear_disk_errors(tmp_path),
    ):
        download(archive, tmp_path, web)


def test_pauses_grow_up_to_a_limit(web: Web) -> None:
    retries = Retries(count=9, pause=1.0)
    assert [retries.before(retry) for retry in range(1, 10)] == [0, 2, 4, 8, 16, 32, 64, 120, 120]


def unreachable() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/record"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (unreachable, r"127\.0\.0\.1:\d+ cannot be reached: .*Connection refused\. Check the network"),
        (lambda: "http://no.such.host.invalid/", r"no\.such\.host\.invalid cannot be reached: .* Check the network"),
        (lambda: "file:///etc/passwd", r"file:///etc/passwd cannot be reached: No connection adapters"),
    ],
)
def test_no_server(web: Web, address: Callable[[], str], message: str) -> None:
    os.environ.pop("HTTP_PROXY", None)
    with pytest.raises(PipelineError, match=message):
        read_record(address(), web)
