"""`landmarks.size: 256` through the whole pipeline: crops, networks, metrics, bundle and video."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.media import probe
from pipeline.models.bundle import load_bundle
from pipeline.shards.clip_store import ClipStore
from tests.stages.conftest import Project


@pytest.fixture
def small(reproduced: Project, tmp_path: Path) -> Iterator[Path]:
    """The models of 128 pixels, which the project has again at the end."""
    shutil.copytree(reproduced.folder / "models", tmp_path / "models")
    yield tmp_path / "models"
    reproduced.run("git", "checkout", "-q", ".")
    reproduced.run("dvc", "checkout", "-q")
    shutil.copy(tmp_path / "models/provenance.json", reproduced.folder / "models")


def test_everything_follows_the_size(reproduced: Project, small: Path) -> None:
    import mlflow

    folder = reproduced.folder
    judged = (folder / "data/quality/quality.parquet").read_bytes()
    landmarks = (folder / "models/landmarks/landmarks.npz").read_bytes()
    ran = reproduced.stages_run_by("dvc", "exp", "run", "-n", "large", "-S", "landmarks.size=256")
    assert ran == ["landmarks", "pca", "train_atnet", "train_vgnet", "evaluate"]
    assert ClipStore(folder / "data").size == 256
    assert (folder / "data/quality/quality.parquet").read_bytes() == judged
    assert (folder / "models/landmarks/landmarks.npz").read_bytes() == landmarks

    metrics = json.loads((folder / "reports/metrics.json").read_text())
    assert 0 < metrics["static"]["lmd"] < 3
    assert metrics["static"]["lost"] == 0
    bundle = load_bundle(folder / "models")
    assert bundle.crop is not None
    assert bundle.crop.size == bundle.vgnet.size == 256
    clip = next((folder / "data/sample").glob("s*/*.mpg"))
    picture = str(folder / "docs/pictures/face.jpg")
    printed = reproduced.run("atvgnet", "generate", "-p", picture, "-i", str(clip), "-o", "out.mp4")
    assert "256x256 pixels" in printed
    info = probe(folder / "out.mp4")
    assert (info.width, info.height) == (256, 256)
    (folder / "out.mp4").unlink()

    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    newest = max(client.search_model_versions("name = 'atvgnet'"), key=lambda found: int(found.version))
    card = Path(client.get_model_version_download_uri("atvgnet", newest.version).removeprefix("file://"), "MLmodel")
    assert "[-1, 256, 256, 3]" in card.read_text().replace('\\"', '"')

    printed = reproduced.run("atvgnet", "evaluate", "--models", str(small), "--out", "x", good=False)
    assert "models makes faces of 128 pixels, and data/faces has crops of 256. Prepare the clips with" in printed
