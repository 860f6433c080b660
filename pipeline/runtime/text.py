"""Text that other programs wrote: UTF-8, or what a byte order mark says."""

import codecs

_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes, errors: str = "strict") -> str:
    """Decode a file's bytes. Windows programs write UTF-16, and UTF-8 with a byte order mark.

    Raises UnicodeDecodeError unless ``errors``, as in `bytes.decode`, says otherwise.
    """
    encoding = next((name for mark, name in _MARKED if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors)
