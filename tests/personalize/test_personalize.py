"""A person's own bundle: a video of the embedded corpus stands for it."""

import csv
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.config.params import Landmarks, Params
from pipeline.corpora.synthetic.build import build_synthetic
from pipeline.corpora.synthetic.corpus import SyntheticParams
from pipeline.faces.crop import CROP
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.pca import fit_model
from pipeline.models.atnet import AtNet
from pipeline.models.bundle import PUBLISHED, write_card
from pipeline.models.files import save_model
from pipeline.models.vgnet import VgNet
from pipeline.personalize.finetune import FineTuning, Steps
from pipeline.personalize.footage import prepare
from pipeline.personalize.personalize import AFTER, BEFORE, Personalized, personalize
from pipeline.personalize.report import print_report
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.features import SpeechFeatures
from tests.media.encode import encode, even_times

STEPS = Steps(atnet=4, vgnet=2)
CLIPS = 6


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one speaker's clips."""
    folder = tmp_path_factory.mktemp("corpus") / "sample"
    build_synthetic(SyntheticParams(speakers=1, sentences=CLIPS, seed=0), folder, jobs=1)
    return next(path.parent for path in sorted(folder.glob("s*/*.mpg")))


@pytest.fixture(scope="module")
def work(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a call leaves that was killed once it had prepared the video."""
    folder = tmp_path_factory.mktemp("work")
    prepare([video], Params(landmarks=Landmarks(face="largest")), folder, jobs=1)  # as the bundle's card says
    return folder


@pytest.fixture(scope="module")
def bundle(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small networks that nothing trained; VG-net nearly repeats the picture it is given."""
    folder = tmp_path_factory.mktemp("bundle")
    torch.manual_seed(0)
    store = ClipStore(work)
    landmarks = fit_model((store.points(clip) for clip in store.ids("train")), 6)
    landmarks.save(folder / "landmarks")
    belongs = {"landmarks": landmarks.digest}
    vgnet = VgNet(width=8)
    assert vgnet.heads.bias is not None
    with torch.no_grad():
        vgnet.heads.bias[3] = -6.0
    save_model(folder / "atnet", "model", AtNet(width=8), {**belongs, "speech": asdict(SpeechFeatures(0.025))})
    save_model(
        folder / "vgnet",
        "model",
        vgnet,
        {**belongs, "crop": asdict(CROP), "params": {"batch": 1, "frames": 4, "augment": {"flip": 0.5}}},
    )
    write_card(folder, {"name": "small", "face": "largest", "licence": "CC BY 4.0", "attribution": "Somebody."})
    return folder


@pytest.fixture(scope="module")
def made(video: Path, work: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Personalized]:
    out = tmp_path_factory.mktemp("out") / "me"
    shutil.copytree(work, out / "work", symlinks=True)
    return out, personalize([video], bundle, out, 1.0, 1, STEPS)


def test_the_last_clips_in_time_are_held_out(video: Path, work: Path) -> None:
    store = ClipStore(work)
    train, val, test = (store.ids(split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (CLIPS - 3, 1, 2)
    names = [path.stem for path in sorted(video.glob("*.mpg"))]
    assert [clip.partition("-")[2].partition("#")[0] for clip in (*train, *val, *test)] == names


def test_it_writes_a_bundle_that_speaks(
    made: tuple[Path, Personalized], bundle: Path, photograph: NDArray[np.uint8]
) -> None:
    out, found = made
    assert sorted(path.name for path in out.iterdir()) == ["atnet", "bundle.json", "held_out.csv", "landmarks", "vgnet"]
    head = TalkingHead.from_pretrained(out)
    frames = list(head.generate(np.asarray(cv2.resize(photograph, (256, 256)), np.uint8), np.zeros(6400, np.int16)))
    assert len(frames) == 10
    card = json.loads((out / "bundle.json").read_text())
    assert (card["face"], card["started_from"]["name"]) == ("largest", "small")
    assert card["licence"] == "That of your videos; of the weights it started from: CC BY 4.0"
    assert card["attribution"] == "Your own videos. Somebody."
    assert card["trained_on"]["steps"] == asdict(STEPS)
    assert card["metrics"] == found.metrics
    assert (out / "landmarks" / "landmarks.npz").read_bytes() == (bundle / "landmarks" / "landmarks.npz").read_bytes()


def test_it_says_what_that_brought(made: tuple[Path, Personalized], capsys: pytest.CaptureFixture[str]) -> None:
    out, found = made
    with (out / "held_out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["static", BEFORE] * 2 + [AFTER] * 2
    for method, means in found.metrics.items():
        for name, mean in means.items():
            values = [float(row[name]) for row in rows if row["method"] == method]
            assert mean == pytest.approx(np.mean(values), abs=2e-6)
    assert found.metrics["static"]["csim"] > 0.95  # the same person, another moment
    assert found.metrics["static"]["laplacian"] > 20
    print_report(found, out)
    shown = capsys.readouterr().out
    assert f"Learnt from {CLIPS - 3} clips, validated on 1, held out 2." in shown
    assert BEFORE in shown


def test_killed_after_a_training_it_goes_on_and_gives_the_same_bytes(
    made: tuple[Path, Personalized], video: Path, work: Path, bundle: Path, tmp_path: Path
) -> None:
    shutil.copytree(work, tmp_path / "work", symlinks=True)
    tuning = FineTuning(bundle, ClipStore(tmp_path / "work"), SpeechFeatures(0.025), tmp_path / "work", 0)
    tuning.run(STEPS)
    finished = (tmp_path / "work" / "atnet" / "model.json").stat().st_mtime_ns
    personalize([video], bundle, tmp_path, 1.0, 1, STEPS)
    assert (tmp_path / "atnet" / "model.json").stat().st_mtime_ns == finished
    for name in ("atnet", "vgnet"):
        for file in ("model.safetensors", "model.json"):
            assert (tmp_path / name / file).read_bytes() == (made[0] / name / file).read_bytes()


def test_steps_follow_from_the_time_and_stay_when_it_is_called_again(work: Path, bundle: Path, tmp_path: Path) -> None:
    tuning = FineTuning(bundle, ClipStore(work), SpeechFeatures(0.025), tmp_path, 0)
    steps = tuning.plan(60.0)
    assert min(asdict(steps).values()) >= 20
    assert tuning.plan(6000.0) == steps


def test_a_bundle_is_not_overwritten(made: tuple[Path, Personalized], video: Path, bundle: Path) -> None:
    with pytest.raises(PipelineError, match=r"has a bundle\. Give another folder with --out, or remove it\."):
        personalize([video], bundle, made[0], 1.0, 1, STEPS)


def test_too_short_a_video(video: Path, bundle: Path, tmp_path: Path) -> None:
    short = sorted(video.glob("*.mpg"))[:2]
    message = (
        r"has 2 clips of 3 s that can be learnt from, and 5 are needed, 15 s: 2 are held out, and one validates\. Give"
    )
    with pytest.raises(PipelineError, match=message):
        personalize(short, bundle, tmp_path, 1.0, 1, STEPS)


@pytest.mark.parametrize(("sound", "why"), [(True, "6 x no face found in any frame"), (False, "6 x no audio stream")])
def test_no_face_and_no_sound(sound: bool, why: str, bundle: Path, tmp_path: Path) -> None:
    noise = (np.random.default_rng(0).standard_normal(18 * 16000) * 3000).astype(np.int16)
    path = encode(tmp_path / "me.mkv", even_times(18 * 25, 25), audio=noise if sound else None)
    with pytest.raises(PipelineError, match=rf"has 0 clips of 3 s .*Clips that cannot be used:\n  {why} \(such as"):
        personalize([path], bundle, tmp_path / "out", 1.0, 1, STEPS)


def test_what_is_no_video_and_no_bundle_of_ours(video: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "me.txt").write_text("no video")
    for wrong in ("me.txt", "none.mp4"):
        with pytest.raises(
            PipelineError, match=rf"{wrong} is not a video \(.*\), nor a folder with one\. Give --video"
        ):
            personalize([tmp_path / wrong], bundle, tmp_path / "out", 1.0, 1, STEPS)
    for name, network in (("atnet", AtNet(width=8)), ("vgnet", VgNet(width=8))):
        save_model(tmp_path / name, "model", network, {"landmarks": PUBLISHED})
    with pytest.raises(PipelineError, match=r"has networks that are published by others\. Give a bundle"):
        personalize([video], tmp_path, tmp_path / "out", 1.0, 1, STEPS)
