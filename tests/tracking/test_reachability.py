"""What MLFLOW_TRACKING_URI may be: each wrong one gets one line that fits, whole, and the run goes on."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import tracking
from pipeline.runtime.errors import PipelineError
from pipeline.tracking.models import fetch_bundle
from pipeline.tracking.reachability import first_line, trouble, unfit

FOLDER = "is a folder or file, in which MLflow no longer keeps runs. Set it to sqlite:///mlflow.db"
WRONG = {
    **dict.fromkeys(
        ["./mlruns", "mlruns", "/data/mlruns", "../mlruns", "~/mlruns", "mlflow.db", "file:mlruns", "file:///data/mlruns",
         "C:\\Users\\me\\mlruns", "C:/Users/me/mlruns", "file:///C:/mlruns", "\\\\share\\mlruns"],
        FOLDER,
    ),
    "  ": "is blank.",
    "sqlite://mlflow.db": "has not three slashes. Write it as sqlite:///mlflow.db",
    "sqlite:mlflow.db": "has not three slashes.",
    "localhost:5000": "lacks how to speak to the server. Write it as http://localhost:5000",
    "10.0.0.7:5000/mlflow": "Write it as http://10.0.0.7:5000/mlflow",
    "http://": "names no server.",
    "http:///mlflow": "names no server.",
    "http://host name:5000": "names no server.",
    "http://localhost:fivethousand": "is not an address (Port could not be cast",
    "http://127.0.0.1:5000/#/experiments/1": "is the address of a page. Write that of its server: http://127.0.0.1:5000",
    "https://host/mlflow/?workflowType=a#/models": "Write that of its server: https://host/mlflow",
}  # fmt: skip
RIGHT = [
    "sqlite:///mlflow.db", "sqlite:////data/mlflow.db", "http://127.0.0.1:5000", "https://me:secret@host/mlflow",
    "HTTP://host", "http://[::1]:5000", "postgresql://u:p@host/db", "mysql+pymysql://u@host/db", "databricks", "plugin://x",
]  # fmt: skip


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Other(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    """A server that is not MLflow's, which answers all with 404."""
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()


@pytest.mark.parametrize("uri", WRONG)
def test_what_cannot_be_a_store(uri: str) -> None:
    assert WRONG[uri] in str(unfit(uri))


@pytest.mark.parametrize("uri", RIGHT)
def test_what_can(uri: str) -> None:
    assert unfit(uri) is None


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    with tracking.stage("train", {}):
        pass
    return [line for line in capfd.readouterr().err.splitlines() if line]


def test_a_stage_says_one_line_and_is_tracked_in_the_project(
    project: Path, page: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    goes_on = f"the run goes on and is tracked in {project}/mlflow.db"
    unusable = {
        "./mlruns": FOLDER,
        "foo://bar": "cannot be used: MLflow knows no store of that kind; it knows sqlite, postgresql, mysql, mssql,",
        "postgresql://u:p@127.0.0.1:1/db": "cannot be used: it needs the package psycopg",
        f"{page}/mlflow": "cannot be used: what answers there is no MLflow server",
    }
    for uri, what in unusable.items():
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        (line,) = said(capfd)
        assert line.startswith(f"tracking: MLFLOW_TRACKING_URI={uri} {what}")
        assert goes_on in line.lower().replace(str(project).lower(), str(project))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://no-such-host.invalid:5000")
    assert "does not answer (there is no host of that name)" in said(capfd)[0]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # as unset
    assert said(capfd) == []
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "./mlruns")
    (line,) = said(capfd)
    assert line.startswith(f"tracking: MLFLOW_REGISTRY_URI=./mlruns {FOLDER}")
    assert sorted(path.name for path in project.iterdir()) == ["mlartifacts", "mlflow.db"]


def test_a_model_from_there_is_refused_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "./mlruns")
    with pytest.raises(
        PipelineError, match=r"@best cannot be fetched: MLFLOW_TRACKING_URI=\./mlruns is a folder or file"
    ):
        fetch_bundle("models:/atvgnet@best")


def test_no_address_is_cut_off() -> None:
    long = RuntimeError(f"{'word ' * 58}https://example.org/a/long/address/{'x' * 90}")
    assert first_line(long).endswith("word ...")
    assert trouble(RuntimeError("one\ntwo")) == "one"
