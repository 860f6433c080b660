"""Bundles served by MLflow, with the commands and programs of docs/serving.md."""

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
import soundfile  # type: ignore[import-untyped]

from pipeline.inference.served import ServedBundle
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.media import probe, read_audio
from tests.factories import write_bundle
from tests.media.pictures import count_frames, picture_size

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/serving.md").read_text(encoding="utf-8").split("\n## ONNX")[0]
COMMANDS: list[str] = re.findall(r"^    ((?:.*\\\n)*.*?)(?: +#.*)?$", PAGE, re.MULTILINE)
(CLIENT,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
STRENGTH = Settings(strength=1.3)

pytestmark = pytest.mark.slow


def command(start: str) -> str:
    (line,) = (line for line in COMMANDS if line.startswith(start))
    return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle that the docs' command exported, the docs' picture and speech, and a temporary folder."""
    folder = tmp_path_factory.mktemp("served")
    write_bundle(folder / "models")
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "tmp").mkdir()
    printed = run(folder, f"{command('atvgnet export mlflow')} --models models")
    assert printed.splitlines()[-1] == f"Now run: {command('mlflow models serve')}"
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
    """The video that `generate_video` writes for the same inputs."""
    head = TalkingHead.from_pretrained(folder / "models")
    generate_video(head, ROOT / "docs/pictures/face.jpg", ROOT / "docs/speech.wav", folder / "expected.mp4", STRENGTH)
    return (folder / "expected.mp4").read_bytes()


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """The address of the docs' server, on a free port."""
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
        while True:
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


def ask(server: str, body: bytes, kind: str = "application/json") -> Any:
    return json.load(urlopen(Request(f"{server}/invocations", body, {"Content-Type": kind})))


def refused(server: str, rows: list[dict[str, str]], **params: Any) -> str:
    return refused_body(server, {"dataframe_records": rows, "params": params})["message"].splitlines()[-1]


def refused_body(server: str, body: dict[str, Any] | bytes, kind: str = "application/json") -> dict[str, str]:
    with pytest.raises(HTTPError) as caught:
        ask(server, body if isinstance(body, bytes) else json.dumps(body).encode(), kind)
    assert caught.value.code == 400
    answer: dict[str, str] = json.load(caught.value)
    return answer


def test_a_request_in_a_file(folder: Path, expected: bytes) -> None:
    run(folder, command("printf").replace("request.json", "answered.json"))
    run(folder, command("mlflow models predict").replace("request.json", "answered.json"))
    (answer,) = json.loads((folder / "answer.json").read_text())["predictions"]
    assert max(map(len, answer["video"].splitlines())) == 76
    assert base64.b64decode(answer["video"]) == expected


def test_the_server_answers_with_a_video(
    folder: Path, server: str, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    exec(CLIENT.replace("http://127.0.0.1:5001", server), {})
    video = folder / "out.mp4"
    assert video.read_bytes() == expected
    assert (picture_size(video), probe(video).fps) == ((360, 288), 25)
    assert count_frames(video) == 75
    assert abs(len(read_audio(video)) - len(read_audio(ROOT / "docs/speech.wav"))) <= 16


def test_curl_gets_the_same_video(folder: Path, server: str, expected: bytes) -> None:
    if subprocess.run(["which", "curl"], capture_output=True).returncode:
        pytest.skip("no curl here")
    run(folder, f"{command('printf')}; {command('curl').replace('http://127.0.0.1:5001', server)}")
    (answer,) = json.loads((folder / "answer.json").read_text())["predictions"]
    assert base64.b64decode(answer["video"]) == expected


def test_a_param_of_null_means_the_default(folder: Path, speech: bytes) -> None:
    table = pd.DataFrame(
        [[(ROOT / "docs/pictures/face.jpg").read_bytes(), speech]],
        columns=["picture", "speech"],
    )
    served = ServedBundle(TalkingHead.from_pretrained(folder / "models"))
    (one, other) = (served.predict(table, params)["video"][0] for params in ({"strength": None, "face": None}, None))
    assert one == other


def test_an_internal_error_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    from mlflow.exceptions import MlflowException

    no_networks: Any = None
    table = pd.DataFrame({"picture": [(ROOT / "docs/pictures/face.jpg").read_bytes()], "speech": [b"RIFF"]})
    with pytest.raises(MlflowException, match=r"^Row 1: an internal error, whose cause") as caught:
        ServedBundle(no_networks).predict(table)
    assert caught.value.error_code == "INTERNAL_ERROR"
    assert "Traceback" in caplog.text


def test_errors_reach_the_client(folder: Path, server: str, speech: bytes) -> None:
    grey = folder / "grey.png"
    cv2.imwrite(str(grey), np.full((200, 200, 3), 127, np.uint8))
    good = {"picture": encoded(ROOT / "docs/pictures/face.jpg"), "speech": base64.b64encode(speech).decode()}
    assert refused(server, [good | {"picture": encoded(grey)}]).startswith(
        "Error: Row 1: picture shows no face that could be found. Give a frontal, evenly lit face of at least 80 pixels"
    )
    message = refused(server, [good, good | {"speech": encoded(grey)}], crop=True)
    assert re.search(r"Row 2: speech.*(sound|audio)", message)
    assert "strength is 4. Give one from 0 (the mouth stays as it is) to 3." in refused(server, [good], strength=4)
    assert "face is mine. Give one of prominent, " in refused(server, [good], face="mine")
    assert not list((folder / "tmp").glob("*/video.mp4"))
    assert not list((folder / "tmp").glob("*/picture"))


DATA_URL = "data:image/jpeg;base64,"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", lambda row: {"dataframe_records": [row]}),
        ("application/json", lambda row: {"dataframe_split": {"columns": [*row], "data": [[*row.values()]]}}),
        ("application/json", lambda row: {"inputs": {name: [value] for name, value in row.items()}}),
        ("application/json", lambda row: {"instances": [row]}),
        ("text/csv", lambda row: pd.DataFrame([row]).to_csv(index=False)),
    ],
)
def test_data_urls_in_every_format(server: str, speech: bytes, kind: str, body: Any) -> None:
    row = {
        "picture": DATA_URL + encoded(ROOT / "docs/pictures/face.jpg"),
        "speech": "data:audio/wav;codecs=1;charset=utf-8;base64," + base64.b64encode(speech).decode(),
    }
    written = body(row)
    (answer,) = ask(server, (written if isinstance(written, str) else json.dumps(written)).encode(), kind)[
        "predictions"
    ]
    assert base64.b64decode(answer["video"])[4:8] == b"ftyp"


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A tenth of a second of speech."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    soundfile.write(path, read_audio(ROOT / "docs/speech.wav")[8000:9600], 16000)
    return path.read_bytes()


def test_unknown_names_are_rejected(server: str) -> None:
    row = {"picture": "", "speech": ""}
    params = "Allowed are face, strength, blink, sway, crop, panels, seed."
    for body in (
        {"dataframe_records": [row]},
        {"dataframe_split": {"columns": [*row], "data": [["", ""]]}},
        {"inputs": {"picture": [""], "speech": [""]}},
        {"instances": [row]},
    ):
        answer = refused_body(server, body | {"params": {"strenght": 1.3, "seed": 1}})
        assert answer["message"] == f"Unknown param: strenght. {params}"
    answer = refused_body(server, {"dataframe_records": [row | {"strength": "1"}]})
    assert answer["message"] == "Unknown column: strength. Allowed are picture, speech."
    answer = refused_body(server, {"instances": [row | {"voice": "x"}]})
    assert answer["message"] == "Unknown column: voice. Allowed are picture, speech."
    answer = refused_body(
        server, {"dataframe_split": {"columns": ["picture", "speech", "speech"], "data": [["", "", ""]]}}
    )
    assert "A column is there twice." in answer["message"]
    answer = refused_body(server, {"dataframe_records": [row], "parameters": {}})
    assert answer["message"].startswith("Unknown key: parameters. Allowed are dataframe_records, ")
    assert refused_body(server, {"dataframe_records": [{"picture": ""}]})["message"] == (
        "The column speech is missing. Give picture and speech."
    )


@pytest.mark.parametrize("kind", ["text/csv", "application/json", "application/vnd.apache.parquet"])
@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b"",
        b"a,b\n1,2,3\n4\n",
        b'"picture,speech\n',
        b"\x00\x01\x02",
        b'{"x":"' + b"A" * 9999,
        b'{"instances":"x"}',
    ],
)
def test_a_body_that_is_not_a_table_gets_one_line(server: str, body: bytes, kind: str) -> None:
    answer = refused_body(server, body, kind)
    assert "\n" not in answer["message"].strip()
    assert len(answer["message"]) < 500
    assert "stack_trace" not in answer


def test_unknown_params_are_rejected_in_python(folder: Path) -> None:
    """Without a server, as with `mlflow models predict`. Bytes are not decoded."""
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import load_model

    model = load_model(str(folder / "served"))
    table = pd.DataFrame({"picture": [b""], "speech": [b""]})
    with pytest.raises(MlflowException, match="Unknown param: strenght"):
        model.predict(table, params={"strenght": 1})
    with pytest.raises(MlflowException, match="Unknown column: voice"):
        model.predict(table.assign(voice=""))
    with pytest.raises(MlflowException, match=r"Row 1: speech: the file is empty"):
        model.predict(table)
