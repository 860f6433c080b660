import pytest

from pipeline.runtime.files import decode

TEXT = "bin é 你"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_how_text_is_written(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


def test_big_endian() -> None:
    assert decode("\ufeffbin".encode("utf-16-be")) == decode("\ufeffbin".encode("utf-32-be")) == "bin"


def test_other_bytes_are_refused_or_replaced() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(b"\xe9")
    assert decode(b"\xe9", errors="replace") == "\ufffd"
