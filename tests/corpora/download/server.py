"""A web server with a record like Zenodo's that can misbehave."""

import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Zenodo:
    """Serves ``files``; ``requests`` has what was asked for, with the range.

    ``acts[name]`` is a list of behaviours, one for each request of that file; the last one stays. Without any, the file
    is served as it should be. ``lies[name]`` replaces fields of the file in the record.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.requests: list[tuple[str, str]] = []
        self.acts: dict[str, list[Behaviour]] = defaultdict(list)
        self.lies: dict[str, dict[str, object]] = defaultdict(dict)
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.zenodo = self  # type: ignore[attr-defined]
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.record = f"{self.base}/api/records/3625687"

    def __enter__(self) -> "Zenodo":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, name: str) -> list[str]:
        """The ranges of the requests for a file; an empty one is a request for all of it."""
        return [part for path, part in self.requests if path == name]

    def as_json(self) -> bytes:
        """The record as Zenodo's API tells it, without what nobody here reads."""
        files = []
        for name, data in self.files.items():
            entry: dict[str, object] = {
                "id": name,
                "key": name,
                "size": len(data),
                "checksum": f"md5:{hashlib.md5(data).hexdigest()}",
                "links": {"self": f"{self.record}/files/{name}/content"},
            }
            files.append({**entry, **self.lies[name]})
        return json.dumps({"id": 3625687, "files": files}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        zenodo: Zenodo = self.server.zenodo  # type: ignore[attr-defined]
        found = re.fullmatch(r"/api/records/3625687(?:/files/([^/]+)/content)?", self.path)
        name = "" if found is None else found[1] or "record"
        zenodo.requests.append((name, self.headers.get("Range", "")))
        data = zenodo.as_json() if name == "record" else zenodo.files.get(name)
        acts = zenodo.acts[name]
        act = (acts.pop(0) if len(acts) > 1 else acts[0]) if acts else serve
        try:
            if data is None:
                status(404)(self, b"")
            else:
                act(self, data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def head(self, code: int, headers: dict[str, object]) -> None:
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key, str(value))
        self.end_headers()

    def start(self) -> int:
        """The first byte that was asked for."""
        return int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))

    def begin(self, size: int) -> int:
        """Answer with a right head, and return the first byte to send."""
        if not self.headers.get("Range"):
            self.head(200, {"Content-Length": size, "Accept-Ranges": "bytes"})
            return 0
        start = self.start()
        if start >= size:
            self.head(416, {"Content-Range": f"bytes */{size}", "Content-Length": 0})
            return size
        self.head(206, {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Length": size - start})
        return start

    def log_message(self, format: str, *args: Any) -> None:
        pass


Behaviour = Callable[[_Handler, bytes], None]


def serve(handler: _Handler, data: bytes) -> None:
    """Behave correctly."""
    handler.wfile.write(data[handler.begin(len(data)) :])


def without_ranges(handler: _Handler, data: bytes) -> None:
    """Send the whole file, whatever the range."""
    handler.head(200, {"Content-Length": len(data)})
    handler.wfile.write(data)


def breaks_off(after: int, *, ranges: bool = True, reset: bool = False) -> Behaviour:
    """Close the connection ``after`` so many bytes; with ``reset`` as a router does that forgets it."""

    def act(handler: _Handler, data: bytes) -> None:
        if ranges:
            start = handler.begin(len(data))
        else:
            start = 0
            handler.head(200, {"Content-Length": len(data)})
        handler.wfile.write(data[start : start + after])
        handler.close_connection = True
        if reset:
            time.sleep(0.1)  # what was sent must arrive before the reset overtakes it
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()

    return act


def stalls(after: int) -> Behaviour:
    """Stop sending ``after`` so many bytes, with the connection open."""

    def act(handler: _Handler, data: bytes) -> None:
        start = handler.begin(len(data))
        handler.wfile.write(data[start : start + after])
        handler.server.zenodo.closing.wait(20)  # type: ignore[attr-defined]
        handler.close_connection = True

    return act


def dribbles(step: int, pause: float) -> Behaviour:
    """Send ``step`` bytes, wait ``pause`` seconds, and so on."""

    def act(handler: _Handler, data: bytes) -> None:
        for place in range(handler.begin(len(data)), len(data), step):
            handler.wfile.write(data[place : place + step])
            time.sleep(pause)

    return act


def status(code: int, **headers: object) -> Behaviour:
    """Refuse."""

    def act(handler: _Handler, data: bytes) -> None:
        handler.head(code, {key.replace("_", "-"): value for key, value in headers.items()} | {"Content-Length": 0})

    return act


def sends(change: Callable[[bytes], bytes], *, length: bool = True, code: int = 200, **headers: object) -> Behaviour:
    """Send something else instead of the file, with a right Content-Length or none."""

    def act(handler: _Handler, data: bytes) -> None:
        body = change(data)
        told = {key.replace("_", "-"): value for key, value in headers.items()}
        handler.head(code, told | ({"Content-Length": len(body)} if length else {"Connection": "close"}))
        handler.wfile.write(body)
        handler.close_connection = True

    return act
