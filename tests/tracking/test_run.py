"""A stage in this very process, with the local store."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import tracking
from tests.tracking.conftest import LIBRARY, all_runs


@dataclass(frozen=True)
class Net:
    lr: float = 2e-4
    words: tuple[str, ...] = ("red", "blue")


@dataclass(frozen=True)
class Params:
    seed: int = 3
    net: Net = field(default_factory=Net)


class Store:
    """A project folder without DVC, and what its store holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def client(self) -> Any:
        from mlflow import MlflowClient

        uri = f"sqlite:///{self.folder / 'mlflow.db'}"
        return MlflowClient(uri, registry_uri=uri)

    def child(self) -> Any:
        """The latest stage's run."""
        return [run for run in all_runs(self.client()) if "mlflow.parentRunId" in run.data.tags][-1]

    def parent(self) -> Any:
        return self.client().get_run(self.child().data.tags["mlflow.parentRunId"])

    def artifacts(self, folder: str | None = None) -> list[str]:
        return [entry.path for entry in self.client().list_artifacts(self.child().info.run_id, folder)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One store for all tests here, since making one takes a second."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("DVC_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    return Store(folder)


def test_params_of_the_stage_and_of_the_pipeline(store: Store) -> None:
    with tracking.stage("train", Params(), uses=["net"]):
        pass
    assert store.child().data.params == {"net.lr": "0.0002", "net.words": "['red', 'blue']"}
    assert store.parent().data.params == {"seed": "3", **store.child().data.params}
    assert store.child().info.status == store.parent().info.status == "FINISHED"


def test_curves_are_complete_and_cost_a_training_little(store: Store) -> None:
    with tracking.stage("train", {}) as run:
        callback = run.callback()
        began = time.perf_counter()
        for step in range(2500):
            callback.metrics(step, {"loss": 1 / (step + 1), "val.lmd (px)": float("nan")})
        assert (time.perf_counter() - began) / 2500 < 1e-3
        callback.done(2500, {"val.lmd": 0.75, "step": 2000})
    client, run_id = store.client(), store.child().info.run_id
    assert store.child().data.metrics["kept.val.lmd"] == 0.75
    points = client.get_metric_history(run_id, "loss")
    assert [(point.step, point.value) for point in points] == [(step, 1 / (step + 1)) for step in range(2500)]
    assert len(client.get_metric_history(run_id, "val.lmd _px_")) == 2500  # MLflow refuses brackets


def test_nested_metrics_without_steps(store: Store) -> None:
    with tracking.stage("evaluate", {}) as run:
        run.metrics({"static": {"lmd": np.float32(1.5), "interval": [1, 2]}, "clips": 6, "corpus": "sample"})
    own = {name: value for name, value in store.child().data.metrics.items() if not name.startswith("system/")}
    assert own == {"static.lmd": 1.5, "clips": 6.0}


def test_pictures_and_files(store: Store, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("fine")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/a.mp4").write_bytes(b"0")
    image_HWC = np.zeros((4, 6, 3), np.uint8)
    with tracking.stage("evaluate", {}) as run:
        run.callback().picture(7, "faces/test", image_HWC)
        image_HWC[:] = 255  # the caller's own again
        run.artifact(tmp_path / "report.md")
        run.artifact(tmp_path / "videos", "media")
    assert store.artifacts() == ["images", "media", "report.md"]
    assert store.artifacts("media/videos") == ["media/videos/a.mp4"]
    (png,) = [path for path in store.artifacts("images") if path.endswith(".png")]
    assert png.startswith("images/faces~test+step+7+")
    from PIL import Image

    picture = Image.open(store.client().download_artifacts(store.child().info.run_id, png, str(tmp_path)))
    assert (picture.size, np.asarray(picture).max()) == ((6, 4), 0)


def test_wrong_use_is_an_error_at_once(store: Store, tmp_path: Path) -> None:
    with tracking.stage("evaluate", {}) as run:
        with pytest.raises(ValueError, match=r"picture face: float32 of shape \(4, 4, 3\) is not uint8"):
            run.picture("face", np.zeros((4, 4, 3), np.float32))
        with pytest.raises(FileNotFoundError, match=r"missing\.md does not exist"):
            run.artifact(tmp_path / "missing.md")


def test_error_and_interruption_give_the_status(store: Store) -> None:
    with pytest.raises(ValueError, match="bad"), tracking.stage("train", {}):
        raise ValueError("the loss is bad")
    assert store.child().info.status == "FAILED"
    assert store.child().data.tags["error"] == "ValueError: the loss is bad"
    assert store.parent().info.status == "FAILED"
    assert store.parent().data.tags["error"] == "train: ValueError: the loss is bad"
    with pytest.raises(KeyboardInterrupt), tracking.stage("train", {}):
        raise KeyboardInterrupt
    assert store.child().info.status == "KILLED"
    with pytest.raises(SystemExit), tracking.stage("train", {}):
        raise SystemExit(0)
    assert store.child().info.status == "FINISHED"
    assert store.parent().info.status == "FAILED"  # one of its stages did


def test_a_stores_refusal_is_said_once_and_costs_nothing_else(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    with tracking.stage("train", {}) as run:
        for _ in range(2):
            run.metrics({"x" * 300: 1.0})
            run.picture("p", np.zeros((2, 2, 3), np.uint8))
        run.metrics({"loss": 1.0})
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("tracking:")]
    assert len(said) == 1
    assert "could not be written" in said[0]
    assert store.child().data.metrics["loss"] == 1.0
    assert store.child().info.status == "FINISHED"


def test_without_mlflow_and_torch_a_stage_runs_untracked(tmp_path: Path) -> None:
    """As on a bare GPU machine: only numpy is there."""
    site = Path(str(np.__file__)).parents[1]
    for part in ("numpy", "numpy.libs"):
        if (site / part).exists():
            (tmp_path / part).symlink_to(site / part)
    program = """if True:
        from pipeline import tracking
        with tracking.stage("train", {"seed": 0}) as run:
            run.callback().metrics(1, {"loss": 1.0})
            run.finish({"lmd": 1.0}, {})
        print("trained")
    """
    result = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": f"{LIBRARY}{os.pathsep}{tmp_path}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.stdout == "trained\n", result.stderr
    assert result.stderr.startswith("tracking: MLflow is not installed here.")
