"""The server's answers to requests that the page never sends."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from pipeline.app.uploads import BYTES
from tests.app.conftest import App
from tests.factories import FACE, ROOT

FILE = "/gradio_api/file="

pytestmark = pytest.mark.slow


def test_only_uploads_can_be_read(app: App) -> None:
    upload = app.upload("face.jpg", FACE.read_bytes())
    assert app.get(FILE + upload)[0] == 200
    secret = app.folder / "scratch" / "secret.txt"
    secret.write_text("a secret")
    up = "/".join([".."] * 12)
    for path in (
        *("/etc/passwd", "//etc/passwd", "%2Fetc%2Fpasswd", "etc/passwd", f"{up}/etc/passwd", "/proc/self/environ"),
        *(f"{app.folder}/files/{up}/etc/passwd", f"{app.folder}/files/..%2Fscratch%2Fsecret.txt", str(secret)),
        *(f"file://{secret}", f"{upload}/../../../scratch/secret.txt", str(ROOT / "params.yaml"), str(app.folder)),
        *("http://127.0.0.1:1/", "https://127.0.0.1:1/", "HTTP://127.0.0.1:1/", "/http://127.0.0.1:1/"),
    ):
        for route in (FILE, "/gradio_api/file/", "/static/", "/assets/", "/"):
            status, answer = app.get(route + path)
            assert status in (400, 403, 404), (route, path, status)
            assert b"root:" not in answer, (route, path)
            assert b"a secret" not in answer, (route, path)
    secret.unlink()


@pytest.mark.parametrize(
    "path",
    ["/docs", "/openapi.json", "/monitoring/summary", "/gradio_api/info", "/gradio_api/proxy=http://127.0.0.1:1/"],
)
def test_other_routes_do_not_exist(app: App, path: str) -> None:
    assert app.get(path)[0] == 404


@pytest.mark.parametrize("kind", [{"_type": "gradio.FileData"}, {"_type": "other"}, None])
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", str(FACE.parent / "strip.jpg"), "http://192.0.2.1/"]
)
def test_a_job_accepts_only_uploads(app: App, path: str, kind: dict[str, str] | None) -> None:
    """A handmade request names another file as the picture. Gradio checks only values of the type FileData."""
    answer = post_by_hand(app, {"path": path, "meta": kind} if kind else {"path": path})
    assert "Traceback" not in answer
    assert "root:" not in answer


def test_an_empty_number_is_reported(app: App) -> None:
    still = {"path": app.upload("face.jpg", FACE.read_bytes()), "meta": FILE_DATA}
    assert "Strength or seed is empty. Fill it in." in post_by_hand(app, still, seed=None)


FILE_DATA = {"_type": "gradio.FileData"}


def post_by_hand(app: App, still: dict[str, Any], seed: int | None = 0) -> str:
    """Return the message of a job that fails. Its speech was uploaded."""
    with urllib.request.urlopen(f"{app.address}config") as answer:
        config = json.load(answer)
    (number,) = [one["id"] for one in config["dependencies"] if one["targets"] and len(one["inputs"]) > 5]
    speech = {"path": app.upload("speech.wav", (ROOT / "docs/speech.wav").read_bytes()), "meta": FILE_DATA}
    settings = ["pretrained", 1, "automatic", "automatic", seed, False, "whole picture"]
    job = {
        "data": ["Picture", still, None, "Sound", speech, None, *settings],
        "fn_index": number,
        "session_hash": "by-hand",
    }
    assert app.post("run/predict", job)[0] == 404  # past the queue
    assert app.post("queue/join", job)[0] == 200
    with urllib.request.urlopen(f"{app.address}gradio_api/queue/data?session_hash=by-hand", timeout=20) as answer:
        told = [json.loads(line.removeprefix(b"data: ")) for line in answer if line.startswith(b"data: ")]
    (completed,) = [one for one in told if one["msg"] == "process_completed"]
    assert not completed["success"] or 'class="failed"' in str(completed["output"])
    return str(told)


def test_an_upload_that_is_too_large_is_refused(app: App) -> None:
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)):
        app.upload("large.wav", bytes(BYTES + 1))
    assert sum(path.stat().st_size for path in app.folder.rglob("*")) < BYTES


def test_another_machine_has_a_limit_and_this_one_has_none(app: App) -> None:
    """The address is that of the client behind a reverse proxy of this machine."""
    client = {"X-Forwarded-For": "192.0.2.99"}
    answers = [app.post("upload", {}, client) for _ in range(21)]
    assert {status for status, _ in answers[:20]} == {400}
    status, refusal = answers[20]
    assert status == 429
    assert json.loads(refusal)["detail"].startswith("You sent more than 20 requests in a minute. Try again in ")
    assert app.post("queue/join", {}, client)[0] == 429
    assert app.post("upload", {}, {"X-Forwarded-For": "192.0.2.98"})[0] == 400
    assert app.get("/")[0] == 200
    assert {app.post("upload", {})[0] for _ in range(25)} == {400}
