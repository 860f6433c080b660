"""The page's server: the real command on a free port."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factories import write_bundle


@dataclass
class App:
    """The running command."""

    address: str
    folder: Path
    """Its temporary folder."""

    def get(self, path: str) -> tuple[int, bytes]:
        """Request a path exactly as it is, without a client's normalisation."""
        host, port = self.address.removeprefix("http://").rstrip("/").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(answer.split()[1]), answer

    def post(self, route: str, content: object, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Post JSON, and return status and answer."""
        body, kind = json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"{self.address}gradio_api/{route}", body, kind)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file, and return its path on the server."""
        head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body, kind = head.encode() + content + b"\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}
        request = urllib.request.Request(f"{self.address}gradio_api/upload", body, kind)
        with urllib.request.urlopen(request, timeout=60) as answer:
            (path,) = json.load(answer)
        return str(path)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Start the command. Its temporary folder is empty before and after."""
    folder, models = tmp_path_factory.mktemp("tmp"), tmp_path_factory.mktemp("models")
    write_bundle(models / "small")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).parent / "atvgnet")
    command = [program, "app", "--port", str(port), "--seconds", "20", "--models", "small"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, cwd=models, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"Open http://127.0.0.1:{port}/ in a browser. Ctrl-C ends it.\n"
            (own,) = folder.iterdir()
            yield App(f"http://127.0.0.1:{port}/", own)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 128 + signal.SIGTERM
        finally:
            process.kill()
    assert not list(folder.iterdir())
    assert [path.name for path in models.iterdir()] == ["small"]
