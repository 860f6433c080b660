"""The files in a request to a served bundle: bytes, Base64 and data URLs."""

import base64
from urllib.parse import quote

import pytest

from pipeline.inference.served import decode_file
from pipeline.runtime.errors import PipelineError

FILE = bytes(range(256))
PLAIN = base64.b64encode(FILE).decode()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        base64.encodebytes(FILE).decode(),
        base64.urlsafe_b64encode(FILE).decode(),
        PLAIN.rstrip("="),
        f"data:image/jpeg;base64,{PLAIN}",
        f"DATA:image/jpeg;name=a.jpg;charset=utf-8;base64, {PLAIN}\n",
        f"data:;base64,{quote(PLAIN, safe='')}",
        f"data:application/octet-stream,{quote(FILE)}",
        FILE,
    ],
)
def test_files_of_requests_are_decoded(text: str | bytes) -> None:
    assert decode_file(text, "picture") == FILE


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, r"picture is missing\."),
        (float("nan"), r"picture is missing\."),
        (
            "https://example.org/face.jpg",
            r"picture is not Base64 \(.*\)\. Give the file's bytes as Base64 or as a data",
        ),
        ("a", r"picture is not Base64"),
        ("data:image/jpeg;base64,%%%", r"picture is not Base64"),
        ("é", r"picture is not Base64"),
    ],
)
def test_other_values_are_rejected(value: object, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        decode_file(value, "picture")
