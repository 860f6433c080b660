"""Pictures and videos as parts of a page, as long as there is room."""

import base64
import io
from itertools import islice
from pathlib import Path

from PIL import Image

from pipeline.media import read_frames

POSTER = 12
"""The frame that a video shows before it is played: about half a second of speech has begun."""

ROOM = 11_000_000
"""Bytes of pictures and videos that a page takes; as text they are a third more, and the page stays below 15 MB."""


class Media:
    """Makes data URIs of files, and counts those that there was no room for."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self.left_out: list[str] = []
        """Names of files."""

    def video(self, path: Path) -> str:
        """An MP4 as it is; empty where it is not there or there is no room."""
        return self._uri(path, "video/mp4", path.read_bytes()) if path.exists() else ""

    def poster(self, path: Path) -> str:
        """What a video shows before it is played, as WebP; empty where there is no video or no room."""
        if not path.exists():
            return ""
        *_, frame = islice(read_frames(path), POSTER)
        return self._webp(path, Image.fromarray(frame), 1024)

    def picture(self, path: Path, width: int = 1600) -> str:
        """A picture as WebP, at most ``width`` pixels wide; empty where it is not there or there is no room."""
        if not path.exists():
            return ""
        with Image.open(path) as image:
            return self._webp(path, image.convert("RGB"), width)

    def _webp(self, path: Path, image: Image.Image, width: int) -> str:
        image.thumbnail((width, 16_000))  # WebP's own limit is 16383
        file = io.BytesIO()
        image.save(file, "WEBP", quality=80, method=4)
        return self._uri(path, "image/webp", file.getvalue())

    def _uri(self, path: Path, kind: str, data: bytes) -> str:
        if len(data) > self._room:
            self.left_out.append(f"{path.parent.name}/{path.name}")
            return ""
        self._room -= len(data)
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"
