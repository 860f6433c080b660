"""Reading a record, and other answers of a server."""

import hashlib
import json

import pytest

from pipeline.corpora.download.web import Archive, Web, read_record
from pipeline.runtime.errors import PipelineError
from tests.corpora.download.server import Behaviour, Zenodo, breaks_off, sends, serve, status


def test_files_with_size_checksum_and_link(zenodo: Zenodo, files: dict[str, bytes], web: Web) -> None:
    found = read_record(zenodo.record, web)
    assert found.keys() == files.keys()
    assert found["s1.zip"] == Archive(
        "s1.zip",
        len(files["s1.zip"]),
        "md5",
        hashlib.md5(files["s1.zip"]).hexdigest(),
        f"{zenodo.record}/files/s1.zip/content",
    )


def test_links_may_be_relative(zenodo: Zenodo, web: Web) -> None:
    zenodo.lies["s1.zip"]["links"] = {"self": "files/s1.zip"}
    assert read_record(zenodo.record, web)["s1.zip"].url == f"{zenodo.base}/api/records/files/s1.zip"


def test_a_busy_server_is_retried(zenodo: Zenodo, web: Web) -> None:
    zenodo.acts["record"] = [status(503), status(429, Retry_After=0), serve]
    assert "s1.zip" in read_record(zenodo.record, web)
    assert len(zenodo.asked("record")) == 3


def tells(tree: object) -> Behaviour:
    return sends(lambda _: json.dumps(tree).encode(), Content_Type="application/json")


FILE = {"key": "s1.zip", "size": 1, "checksum": "md5:0", "links": {"self": "s1.zip"}}


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (sends(lambda _: b"<html>Welcome to Hotel", Content_Type="text/html"), r"is no Zenodo record\. .*login first"),
        (sends(lambda _: b"\xff\xfe{"), r"is no Zenodo record"),
        (sends(lambda data: data[:-20]), r"is no Zenodo record"),
        (tells([]), r"is no Zenodo record"),
        (tells({}), r"is no Zenodo record"),
        (tells({"files": [{}]}), r"is no Zenodo record"),
        (tells({"files": [{**FILE, "size": "1"}]}), r"is no Zenodo record"),
        (tells({"files": [{**FILE, "checksum": "rot13:0"}]}), r"is no Zenodo record"),
        (tells({"files": [{**FILE, "links": []}]}), r"is no Zenodo record"),
        (tells({"files": [{**FILE, "links": {"self": 1}}]}), r"is no Zenodo record"),
        (breaks_off(100), r"broke off: .*Run the same command again"),
        (status(404), r"records/3625687 is refused: 404 Not Found\. Is the address of the record"),
        (status(500), r"is refused: 500 Internal Server Error\. The server is busy or broken: run the same"),
        (status(416), r"is no Zenodo record"),
    ],
)
def test_no_record(zenodo: Zenodo, web: Web, act: Behaviour, message: str) -> None:
    zenodo.acts["record"] = [act]
    with pytest.raises(PipelineError, match=message):
        read_record(zenodo.record, web)
