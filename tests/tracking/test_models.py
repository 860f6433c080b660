"""Models in the registry: they load anywhere, take any number of frames, the best has the alias, bundles come back."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import cv2
import grimp
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
import torch

from pipeline import tracking
from pipeline.bundles.network_files import save_model
from pipeline.bundles.networks import load_model
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.tracking.models import (
    BUNDLE_LOADER,
    BUNDLE_PARAMS,
    BUNDLE_REQUIREMENTS,
    NETWORK_LOADER,
    NETWORK_REQUIREMENTS,
    bundle_signature,
    fetch_bundle,
)
from tests.factories import write_bundle
from tests.tracking.conftest import LIBRARY

pytestmark = pytest.mark.slow

MODEL = "atvgnet-vgnet"

LOAD = """
import sys, numpy as np, mlflow
sys.modules.update(dict.fromkeys(("psutil", "dvc", "cv2", "av", "librosa", "dlib", "numba")))  # not needed
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
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python would write it into the store, beside the code that it loads
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


@pytest.mark.parametrize("recurrent", [True, False])
def test_coefficients_have_their_name(client: Any, folder: Path, recurrent: bool) -> None:
    """Registered with two frames, asked for five of two speakers."""
    from mlflow import pyfunc, set_tracking_uri

    save_model(Path("models/atnet"), "model", AtNet(width=4, recurrent=recurrent), {})
    arrays = {"reference_BK": np.ones((1, 6), np.float32), "windows_BT1RC": np.ones((1, 2, 1, 28, 12), np.float32)}
    with tracking.stage("train_atnet", {}) as run:
        run.model(Path("models/atnet"), arrays, f"atnet-{recurrent}")
    set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    model = pyfunc.load_model(f"models:/atnet-{recurrent}/1")
    (output,) = model.metadata.signature.outputs
    assert (output.name, output.shape) == ("coefficients_BTK", (-1, -1, 6))
    answer = model.predict({name: np.repeat(array, 2, axis=0) for name, array in arrays.items()})
    assert answer["coefficients_BTK"].shape == (2, 2, 6)
    arrays["windows_BT1RC"] = np.ones((1, 5, 1, 28, 12), np.float32)
    np.testing.assert_allclose(
        model.predict(arrays)["coefficients_BTK"][:, :2], answer["coefficients_BTK"][:1], atol=1e-6
    )


def test_no_code_is_pickled(client: Any) -> None:
    logged = {path.name for path in Path("mlartifacts").rglob("models/*/artifacts/**/*") if path.is_file()}
    assert {"MLmodel", "input_example.json", "model.safetensors", "model.json", "served.py"} <= logged
    assert not {name for name in logged if name.endswith((".pkl", ".pth", ".pyc"))}
    cards = [json.loads(path.read_text()) for path in Path("mlartifacts").rglob("model.json")]
    assert {card["architecture"] for card in cards} == {"AtNet", "VgNet", "SpeechEmbedding"}


GENERATE = """
import sys, mlflow, pandas
from pathlib import Path
sys.modules.update(dict.fromkeys(("psutil", "dvc", "typer", "rich", "torchmetrics", "espeakng_loader")))  # not needed
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/atvgnet/1")
files = pandas.DataFrame({"picture": [Path("face.png").read_bytes()], "speech": [Path("speech.wav").read_bytes()]})
Path("mlflow.mp4").write_bytes(model.predict(files, params={"strength": 1.2})["video"][0])
"""


@pytest.fixture
def bundle(client: Any) -> Path:
    """A bundle of which three versions are registered; the second is the best."""
    folder = write_bundle(Path("models"))
    if not client.search_model_versions("name = 'atvgnet'"):
        save_model(folder / "vgnet", "discriminator", Discriminator(width=4), {})
        (folder / "atnet" / "history.csv").write_text("step")
        (folder / "published").mkdir()
        for lmd in (2.0, 1.0, 3.0):
            with tracking.stage("evaluate", {}) as run:
                run.bundle(folder)
                run.finish({}, {"atvgnet": tracking.Judgement("at_vg.lmd", lmd, "sample", "clips", whole=True)})
    return folder


def test_a_registered_bundle_is_what_generates(client: Any, bundle: Path) -> None:
    fetched = fetch_bundle("models:/atvgnet@best")
    files = {str(path.relative_to(fetched)) for path in fetched.rglob("*") if path.is_file()}
    assert files == {
        "bundle.json", "landmarks/landmarks.npz", "atnet/model.json", "atnet/model.safetensors", "atnet/history.csv",
        "vgnet/model.json", "vgnet/model.safetensors",
    }  # fmt: skip
    for name in files:
        assert (fetched / name).read_bytes() == (bundle / name).read_bytes()
    assert str(client.get_model_version_by_alias("atvgnet", "best-sample").version) == "2"
    assert client.get_model_version_by_alias("atvgnet", "best").tags["dvc.stage"] == "evaluate"


def test_a_registered_bundle_generates_by_name_and_by_mlflow(
    bundle: Path, folder: Path, tmp_path: Path, photograph: Any
) -> None:
    """The same bytes."""
    picture, speech = tmp_path / "face.png", tmp_path / "speech.wav"
    cv2.imwrite(str(picture), photograph[:, :, ::-1])
    soundfile.write(speech, (np.random.default_rng(0).standard_normal(3200) * 3000).astype(np.int16), 16000)
    head = TalkingHead.from_pretrained("models:/atvgnet@best")
    assert head.card["licence"] == "MIT"
    for name, one in (("expected.mp4", TalkingHead.from_pretrained(bundle)), ("named.mp4", head)):
        assert generate_video(one, picture, speech, tmp_path / name, Settings(strength=1.2)).frames == 5
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", GENERATE, f"sqlite:///{folder / 'mlflow.db'}"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    expected, named, by_mlflow = ((tmp_path / f"{name}.mp4").read_bytes() for name in ("expected", "named", "mlflow"))
    assert expected == named == by_mlflow


def test_a_bundles_params_are_the_settings() -> None:
    settings = {field.name: field.default for field in fields(Settings)}
    assert {name: default for name, (_, default) in BUNDLE_PARAMS.items()} == settings
    signature = bundle_signature()
    assert [(one.name, one.type.name) for one in signature.inputs] == [("picture", "string"), ("speech", "string")]
    assert [(one.name, one.type.name) for one in signature.outputs] == [("video", "binary")]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("models:/atvgnet", r"models:/atvgnet is not the address of a model. Give models:/NAME@ALIAS or"),
        ("models:/atvnet@best", r"has no model atvnet. It has: .*atvgnet"),
        (
            "models:/atvgnet@first",
            r"has no models:/atvgnet@first. atvgnet has the aliases best.* and the versions 1, 2, 3",
        ),
        ("models:/atvgnet/4", r"has no models:/atvgnet/4. atvgnet has the aliases best.* and the versions 1, 2, 3"),
        (f"models:/{MODEL}/1", rf"models:/{MODEL}/1 is not a bundle. Give one, such as models:/atvgnet@best"),
    ],
)
def test_what_is_not_a_registered_bundle(bundle: Path, uri: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        fetch_bundle(uri)


def test_a_store_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match=r"mlflow\.db: the file does not exist\. Start in the project's folder, or"):
        fetch_bundle("models:/atvgnet@best")
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(PipelineError, match=r"from http://127\.0\.0\.1:1: connection refused\."):
        fetch_bundle("models:/atvgnet@best")


def test_a_bundle_by_name_without_mlflow() -> None:
    """Nor psutil, requests and dvc, as in an installation that only generates."""
    program = """if True:
        import sys
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("psutil", "requests", "dvc"):
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Absent())
        import importlib.util
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if name == "mlflow" else found(name, *more)
        from pipeline.inference.talking_head import TalkingHead
        TalkingHead.from_pretrained("models:/atvgnet@best")
    """
    result = subprocess.run([sys.executable, "-c", program], cwd=LIBRARY, capture_output=True, text=True, timeout=120)
    assert "PipelineError: models:/atvgnet@best needs MLflow. Install it with" in result.stderr


@pytest.mark.parametrize(
    ("loader", "requirements"), [(NETWORK_LOADER, NETWORK_REQUIREMENTS), (BUNDLE_LOADER, BUNDLE_REQUIREMENTS)]
)
def test_requirements_are_what_loading_and_predicting_imports(loader: str, requirements: tuple[str, ...]) -> None:
    """Bundles of published networks, which this project does not register, import more."""
    graph = grimp.build_graph("pipeline", include_external_packages=True, cache_dir=None)
    found: set[str] = set()
    waiting = [loader]
    while waiting:
        module = waiting.pop()
        if module not in found and not module.startswith(("pipeline.tracking", "pipeline.preprocessing.published")):
            found.add(module)
            waiting += graph.find_modules_directly_imported_by(module) if module.startswith("pipeline") else ()
    names = {**packages_distributions(), "dlib": ["dlib-bin"]}
    imported = {names[module][0] for module in found if module in names and not module.startswith("pipeline")}
    imported -= {name for name in imported if name.startswith("mlflow")}  # which does the loading
    imported -= {"espeakng-loader"}  # the synthesiser of portraits has voices, and closing lips uses none
    assert imported == set(requirements) - {"face_recognition_models"}  # of which only files are read
