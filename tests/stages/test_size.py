"""`landmarks.size: 256` on the sample: crops, networks, metrics, bundle, video. What DVC reruns: test_pipeline.py."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.file import load_params
from pipeline.config.params import Params
from pipeline.evaluation.models import evaluate_models
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.tracking import Run
from stages import evaluate, landmarks, pca, train_atnet, train_vgnet
from stages.runner import Context
from tests.media.pictures import picture_size
from tests.stages.conftest import ROOT, Project

pytestmark = pytest.mark.slow


@pytest.fixture
def params(reproduced: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """In a folder with what does not hang on the size; the other stages run here, and nobody tracks them."""
    (tmp_path / "data").mkdir()
    for name in ("sample", "clips", "mfcc"):
        (tmp_path / "data" / name).symlink_to(reproduced.folder / "data" / name)
    monkeypatch.chdir(tmp_path)
    params = load_params(reproduced.folder / "params.yaml")
    return replace(
        params, landmarks=replace(params.landmarks, size=256), evaluate=replace(params.evaluate, max_clips=1)
    )


def test_everything_follows(reproduced: Project, params: Params, tmp_path: Path) -> None:
    context = Context(params, Run(None), tmp_path, jobs=1)
    for stage in (landmarks, pca, train_atnet, train_vgnet, evaluate):
        stage.main(context)
    assert ClipStore("data").size == 256
    for same in ("data/quality/quality.parquet", "models/landmarks/landmarks.npz", "models/atnet/model.safetensors"):
        assert Path(same).read_bytes() == (reproduced.folder / same).read_bytes(), same

    metrics = json.loads(Path("reports/means.json").read_text())
    assert metrics["static"]["lost"] == 0
    assert 0 < metrics["static"]["lmd"] < 3  # in pixels of 128
    (_,) = Path("reports/pictures").iterdir()
    (video,) = Path("reports/videos").iterdir()
    assert picture_size(video) == (1280, 274)

    picture = str(ROOT / "docs/pictures/face.jpg")
    head = TalkingHead.from_pretrained("models")
    generate_video(head, picture, next(Path("data/sample").glob("s*/*.mpg")), "out.mp4", Settings(crop=True))
    assert picture_size(Path("out.mp4")) == (256, 256)

    with pytest.raises(PipelineError, match=r"models makes faces of 128 pixels, and data/faces has crops of 256\."):
        evaluate_models(reproduced.folder / "models", "elsewhere", params, tmp_path, 1)
    hears = replace(params, mfcc=replace(params.mfcc, kind="log_mel"))
    with pytest.raises(PipelineError, match=r"models hears mfcc\.kind mfcc, .*and data/mfcc has log_mel"):
        evaluate_models("models", "elsewhere", hears, tmp_path, 1)

    # Landmarks do not know a size, so AT-net of 128 speaks to VG-net of 256.
    shutil.rmtree("models/atnet")
    shutil.copytree(reproduced.folder / "models/atnet", "models/atnet")
    silence = np.zeros(640, np.int16)
    assert [frame.shape for frame in TalkingHead.from_pretrained("models").generate(picture, silence)] == [
        (256, 256, 3)
    ]
