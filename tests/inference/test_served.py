"""A bundle that MLflow serves, by the commands and programs of docs/serving.md as they stand there."""

import base64
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pandas as pd
import pytest

from pipeline.inference.generate import generate
from pipeline.inference.served import ServedBundle
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.media import count_frames, probe, read_audio
from tests.models.test_bundle import write_bundle

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/serving.md").read_text(encoding="utf-8").split("\n## ONNX")[0]
COMMANDS: list[str] = re.findall(r"^    ((?:.*\\\n)*.*?)(?: +#.*)?$", PAGE, re.MULTILINE)
(CLIENT,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
STRENGTH = Settings(strength=1.3)


def command(start: str) -> str:
    (found,) = (one for one in COMMANDS if one.startswith(start))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a small bundle as the docs' command exports it, the docs' own picture and speech, and a folder for temporary
    files.
    """
    folder = tmp_path_factory.mktemp("served")
    write_bundle(folder / "models")
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "tmp").mkdir()
    said = run(folder, f"{command('atvgnet export mlflow')} --models models")
    assert "Now run: mlflow models serve --env-manager local -m served" in said
    return folder


def environment(folder: Path) -> dict[str, str]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": programs, "TMPDIR": str(folder / "tmp")}


def run(folder: Path, line: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def expected(folder: Path) -> bytes:
    """What `generate` writes of the same."""
    head = TalkingHead.from_pretrained(folder / "models")
    generate(head, ROOT / "docs/pictures/face.jpg", ROOT / "docs/speech.wav", folder / "expected.mp4", STRENGTH)
    return (folder / "expected.mp4").read_bytes()


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """The address of the docs' server, at a free port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = shlex.split(command("mlflow models serve").replace("5001", str(port)))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env=environment(folder), stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "server.log").read_text()
            try:
                urlopen(f"{address}/ping").close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def refused(server: str, rows: list[dict[str, str]], **params: Any) -> str:
    body = json.dumps({"dataframe_records": rows, "params": params}).encode()
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(f"{server}/invocations", body, {"Content-Type": "application/json"}))
    assert caught.value.code == 400
    message: str = json.load(caught.value)["message"]
    return message.splitlines()[-1]


def test_a_request_in_a_file(folder: Path, expected: bytes) -> None:
    run(folder, command("printf").replace("request.json", "answered.json"))
    run(folder, command("mlflow models predict").replace("request.json", "answered.json"))
    (answer,) = json.loads((folder / "answer.json").read_text())["predictions"]
    assert max(map(len, answer["video"].splitlines())) == 76
    assert base64.b64decode(answer["video"]) == expected


def test_a_server_answers_with_a_video(
    folder: Path, server: str, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    exec(CLIENT.replace("http://127.0.0.1:5001", server), {})
    video = folder / "out.mp4"
    assert video.read_bytes() == expected
    info = probe(video)
    assert (info.width, info.height, info.fps) == (360, 288, 25)
    assert count_frames(video) == 75
    assert abs(len(read_audio(video)) - len(read_audio(ROOT / "docs/speech.wav"))) <= 16


def test_curl_is_answered_alike(folder: Path, server: str, expected: bytes) -> None:
    if subprocess.run(["which", "curl"], capture_output=True).returncode:
        pytest.skip("no curl here")
    run(folder, f"{command('printf')}; {command('curl').replace('http://127.0.0.1:5001', server)}")
    (answer,) = json.loads((folder / "answer.json").read_text())["predictions"]
    assert base64.b64decode(answer["video"]) == expected


def test_a_param_of_null_is_as_if_it_were_not_given(folder: Path) -> None:
    table = pd.DataFrame(
        [[(ROOT / "docs/pictures/face.jpg").read_bytes(), (ROOT / "docs/speech.wav").read_bytes()]],
        columns=["picture", "speech"],
    )
    served = ServedBundle(TalkingHead.from_pretrained(folder / "models"))
    (one, other) = (served.predict(table, params)["video"][0] for params in ({"strength": None, "face": None}, None))
    assert one == other


def test_what_is_wrong_reaches_the_client(folder: Path, server: str) -> None:
    grey = folder / "grey.png"
    cv2.imwrite(str(grey), np.full((200, 200, 3), 127, np.uint8))
    good = {"picture": encoded(ROOT / "docs/pictures/face.jpg"), "speech": encoded(ROOT / "docs/speech.wav")}
    assert refused(server, [good | {"picture": encoded(grey)}]).startswith(
        "Error: Row 1: picture shows no face that could be found. Give a frontal, evenly lit face of at least 80 pixels"
    )
    said = refused(server, [good, good | {"speech": encoded(grey)}], crop=True)
    assert re.search(r"Row 2: speech.*(sound|audio)", said)
    assert "strength is 4. Give one from 0 (the mouth stays as it is) to 3." in refused(server, [good], strength=4)
    assert "face is mine. Give one of prominent, " in refused(server, [good], face="mine")
    assert not list((folder / "tmp").glob("*/video.mp4"))
    assert not list((folder / "tmp").glob("*/picture"))
