"""With a real MLflow server: used when named, done without when it does not answer or dies."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import tracking
from pipeline.bundles.bundle import load_bundle
from pipeline.runtime.errors import PipelineError
from pipeline.tracking import store as stores
from pipeline.tracking.models import fetch_bundle
from tests.factories import write_bundle
from tests.tracking.conftest import Project, all_runs

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A tracking server in `folder`; gives its address and its process, whose group it leads."""
    uri = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    with (folder / "server.log").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=1):
                break
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield uri, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def without_waits(text: str) -> str:
    """The output without the lines that a slow machine adds, which say what is waited for."""
    return "".join(line for line in text.splitlines(keepends=True) if "tracking: waiting " not in line)


def test_dead_port_is_said_at_once_and_the_run_goes_to_the_local_store(project: Project) -> None:
    """Two stages at once, which also find no store yet and make one together."""
    uri = f"http://127.0.0.1:{free_port()}"
    environment = {**project.environment, "MLFLOW_TRACKING_URI": uri}
    stages = [
        subprocess.Popen([sys.executable, "wait.py"], cwd=project.folder, env=environment, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    began = time.monotonic()
    assert stages[0].stderr
    warning = next(line for line in stages[0].stderr if without_waits(line))
    assert time.monotonic() - began < 20
    for part in (uri, "does not answer", "connection refused", "mlflow ui", str(project.folder / "mlflow.db")):
        assert part in warning
    (project.folder / "go").touch()
    for stage in stages:
        _, errors = stage.communicate(timeout=100)
        assert stage.returncode == 0, errors
        assert without_waits(warning + errors if stage is stages[0] else errors) == warning
    (project.folder / "go").unlink()

    parents = project.parents()
    assert [parent.info.status for parent in parents] == ["FINISHED"] * 2
    for parent in parents:
        child = project.children(parent)["wait"]
        assert len(project.client().get_metric_history(child.info.run_id, "loss")) == 2


def test_server_is_used_and_its_death_costs_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    with server(tmp_path) as (uri, process):
        # The real thing first: a stage with curves, picture and model, all of it on the server and none beside it.
        assert "tracking:" not in without_waits(project.stage("train", MLFLOW_TRACKING_URI=uri).stdout)
        client = MlflowClient(uri, registry_uri=uri)
        _, train = all_runs(client)
        assert train.info.status == "FINISHED"
        assert len(client.get_metric_history(train.info.run_id, "loss")) == 50
        assert [entry.path for entry in client.list_artifacts(train.info.run_id)] == ["images"]
        assert client.search_model_versions("name = 'atvgnet-atnet'")[0].run_id == train.info.run_id
        assert len(project.parents()) == 2  # as before
        with monkeypatch.context() as context:  # what is registered there can be fetched
            context.setenv("MLFLOW_TRACKING_URI", uri)
            context.chdir(project.folder)
            with tracking.stage("evaluate", {}) as run:
                run.bundle(write_bundle(tmp_path / "models"))
            fetched = fetch_bundle("models:/atvgnet/1")
            assert load_bundle(fetched).card == load_bundle(tmp_path / "models").card
            with pytest.raises(PipelineError, match="atvgnet-atnet/1 is not a bundle"):
                fetch_bundle("models:/atvgnet-atnet/1")

        # Then a server that stops answering in the middle of a stage, which waits for us to do that.
        stage = subprocess.Popen(
            [sys.executable, "wait.py"],
            cwd=project.folder,
            env={**project.environment, "MLFLOW_TRACKING_URI": uri, "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        while len(all_runs(client)) < 6 or not all_runs(client)[-1].data.metrics.get("loss"):
            assert stage.poll() is None
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGSTOP)
        (project.folder / "go").touch()
        output, errors = stage.communicate(timeout=60)
    assert stage.returncode == 0, errors
    assert float(output) < 1.0  # seconds that the training itself was held up
    assert without_waits(errors).count("tracking:") == 1
    assert f"{uri} does not answer (no answer in 5 s)" in errors

    parent = project.parents()[-1]
    assert parent.info.status == "FINISHED"
    assert parent.data.params["train.lr"] == "0.5"
    child = project.children(parent)["wait"]
    assert child.info.status == "FINISHED"
    points = project.client().get_metric_history(child.info.run_id, "loss")
    assert [point.step for point in points] == [0, 1]  # also what had reached the server
    assert project.client().list_artifacts(child.info.run_id, "images")


def test_a_locked_database_is_said_and_waited_for(project: Project) -> None:
    """SQLite itself waits for five seconds before it says so."""
    runs = len(all_runs(project.client()))
    with contextlib.closing(sqlite3.connect(project.folder / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        stage = subprocess.Popen(
            [sys.executable, "prepare.py"],
            cwd=project.folder,
            env=project.environment,
            text=True,
            stderr=subprocess.PIPE,
        )
        assert stage.stderr
        said = stage.stderr.readline()
        assert said.startswith("tracking: the database of the runs is locked by another process; waiting up to 60 s.")
        assert str(project.folder / "mlflow.db") in said
        other.execute("ROLLBACK")
    _, errors = stage.communicate(timeout=60)
    assert stage.returncode == 0
    assert errors == ""
    assert len(all_runs(project.client())) == runs + 2


def test_a_lock_is_said_while_mlflow_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """MLflow's own connections wait for 20 s before they raise an error."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setattr(stores, "SLOW_SECONDS", 0.05)
    stores._warn_of_lock.cache_clear()
    stores.retry_locked(lambda: time.sleep(0.5))
    assert not list(tmp_path.iterdir())
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE a (b)")
        stores.retry_locked(lambda: time.sleep(0.5))
        assert capsys.readouterr().err == ""
        other.execute("BEGIN EXCLUSIVE")
        stores.retry_locked(lambda: time.sleep(0.5))
        stores.retry_locked(lambda: time.sleep(0.5))
    said = capsys.readouterr().err
    assert said.count("tracking: the database of the runs is locked by another process") == 1
    stores._warn_of_lock.cache_clear()


def test_a_slow_store_is_said_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(stores, "SLOW_SECONDS", 0.05)
    with stores.warning_if_slow("waiting for the store."):
        time.sleep(0.5)
    assert capsys.readouterr().err == "tracking: waiting for the store.\n"
    with stores.warning_if_slow("waiting for the store."):
        pass
    time.sleep(0.2)
    assert capsys.readouterr().err == ""
