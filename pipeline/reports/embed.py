"""Pictures and videos as data URIs, up to a total size."""

import base64
import io
from itertools import islice
from pathlib import Path

from PIL import Image

from pipeline.media import read_frames

POSTER_FRAME = 12
"""The frame shown before a video plays: after about half a second, when speech has begun."""
MAX_BYTES = 11_000_000
"""Bytes of pictures and videos on a page. Base64 adds a third, so the page stays below 15 MB."""


class Embedder:
    """Turns files into data URIs until ``max_bytes`` are used up."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._room = max_bytes
        self.left_out: list[str] = []
        """Files that did not fit, as ``folder/name``."""

    def video(self, path: Path) -> str:
        """An MP4 as it is; empty if the file is missing or does not fit."""
        return self._uri(path, "video/mp4", path.read_bytes()) if path.exists() else ""

    def poster(self, path: Path) -> str:
        """A frame of a video as WebP; empty if the file is missing or the frame does not fit."""
        if not path.exists():
            return ""
        *_, frame = islice(read_frames(path), POSTER_FRAME)
        return self._webp(path, Image.fromarray(frame), 1024)

    def picture(self, path: Path, width: int = 1600) -> str:
        """A picture as WebP, at most ``width`` pixels wide; empty if the file is missing or does not fit."""
        if not path.exists():
            return ""
        with Image.open(path) as image:
            return self._webp(path, image.convert("RGB"), width)

    def _webp(self, path: Path, image: Image.Image, width: int) -> str:
        image.thumbnail((width, 16_000))  # WebP allows 16383
        file = io.BytesIO()
        image.save(file, "WEBP", quality=80, method=4)
        return self._uri(path, "image/webp", file.getvalue())

    def _uri(self, path: Path, kind: str, data: bytes) -> str:
        if len(data) > self._room:
            self.left_out.append(f"{path.parent.name}/{path.name}")
            return ""
        self._room -= len(data)
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"
