"""Models in the registry: they load anywhere, take any number of frames, and the best has the alias."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline import tracking
from pipeline.models.files import save_model
from pipeline.models.registry import load_model
from pipeline.models.vgnet import VgNet

MODEL = "atvgnet-vgnet"

LOAD = """
import sys, numpy as np, mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/atvgnet-vgnet/1")
assert sorted(model.input_example) == ["image_BCHW", "landmarks_BTL", "reference_landmarks_BL"]
answer = model.predict(model.input_example)
inputs = dict(np.load(sys.argv[2]))
np.savez(sys.argv[3], **model.predict(inputs))
try:
    model.predict({**inputs, "landmarks_BTL": inputs["landmarks_BTL"][..., :135]})
except mlflow.exceptions.MlflowException as error:
    print(error)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from mlflow import MlflowClient

    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("DVC_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    return MlflowClient(uri, registry_uri=uri)


def inputs_of(frames: int, batch: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(frames)
    return {
        "image_BCHW": random.uniform(-1, 1, (batch, 3, 128, 128)).astype(np.float32),
        "reference_landmarks_BL": random.normal(size=(batch, 136)).astype(np.float32),
        "landmarks_BTL": random.normal(size=(batch, frames, 136)).astype(np.float32),
    }


def test_registered_model_loads_far_from_the_repository(client: Any, folder: Path, tmp_path: Path) -> None:
    save_model(Path("models/vgnet"), "model", VgNet(width=4), {"seed": 0})
    with tracking.stage("train_vgnet", {}) as run:
        run.model(Path("models/vgnet"), inputs_of(frames=1), MODEL)
    version = client.get_model_version(MODEL, "1")
    assert version.status == "READY"
    assert version.tags["dvc.stage"] == "train_vgnet"
    assert not Path("mlruns").exists()

    inputs = inputs_of(frames=3, batch=2)
    np.savez(tmp_path / "inputs.npz", **inputs)  # type: ignore[arg-type]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", LOAD, f"sqlite:///{folder / 'mlflow.db'}", "inputs.npz", "outputs.npz"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "landmarks_BTL" in result.stdout  # the signature refuses 135 landmarks

    module, _ = load_model(Path("models/vgnet"), "model")
    with torch.inference_mode():
        expected = module(**{name: torch.from_numpy(array) for name, array in inputs.items()})._asdict()
    outputs = dict(np.load(tmp_path / "outputs.npz"))
    assert set(outputs) == {name for name, value in expected.items() if value is not None}
    assert outputs["frames_BTCHW"].shape == (2, 3, 3, 128, 128)
    for name, array in outputs.items():
        np.testing.assert_allclose(array, expected[name].numpy(), atol=1e-5)


def test_signature_leaves_batch_and_time_free(client: Any) -> None:
    from mlflow.models import get_model_info

    signature = get_model_info(f"models:/{MODEL}/1").signature
    assert {entry.name: entry.shape for entry in signature.inputs} == {
        "image_BCHW": (-1, 3, 128, 128),
        "reference_landmarks_BL": (-1, 136),
        "landmarks_BTL": (-1, -1, 136),
    }
    assert {entry.name: entry.shape for entry in signature.outputs}["frames_BTCHW"] == (-1, -1, 3, 128, 128)


def test_alias_goes_to_the_lowest_on_the_same_data(client: Any) -> None:
    def judged(value: float, corpus: str) -> None:
        save_model(Path("models/vgnet"), "model", VgNet(width=1), {"value": value})
        with tracking.stage("train_vgnet", {}) as run:
            run.model(Path("models/vgnet"), inputs_of(frames=1), MODEL)
            run.finish({"vg_gt": {"lmd": value}}, best={MODEL: "vg_gt.lmd"}, judged_on=corpus)

    def aliases() -> dict[str, str]:
        return {alias: str(version) for alias, version in client.get_registered_model(MODEL).aliases.items()}

    judged(2.0, "sample")
    assert aliases() == {"best": "2", "best-sample": "2"}
    judged(float("nan"), "sample")
    judged(2.5, "sample")
    assert aliases() == {"best": "2", "best-sample": "2"}
    judged(1.5, "sample")
    assert aliases() == {"best": "5", "best-sample": "5"}
    judged(3.0, "grid")
    assert aliases() == {"best": "6", "best-sample": "5", "best-grid": "6"}
    tags = client.get_model_version_by_alias(MODEL, "best").tags
    assert (tags["best.metric"], tags["best.value"], tags["best.judged_on"]) == ("vg_gt.lmd", "3.0", "grid")


def test_no_code_is_pickled(client: Any) -> None:
    logged = {path.name for path in Path("mlartifacts").rglob("models/*/artifacts/**/*") if path.is_file()}
    assert {"MLmodel", "input_example.json", "model.safetensors", "model.json", "served.py"} <= logged
    assert not {name for name in logged if name.endswith((".pkl", ".pth", ".pyc"))}
    assert json.loads(next(Path("mlartifacts").rglob("model.json")).read_text())["architecture"] == "VgNet"
