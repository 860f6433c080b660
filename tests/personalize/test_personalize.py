"""Personal bundles, made from a speaker of the embedded corpus."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.bundles.bundle import PUBLISHED, load_bundle, write_card
from pipeline.bundles.location import pretrained_folder
from pipeline.bundles.network_files import read_model, save_model
from pipeline.inference.talking_head import TalkingHead
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.personalize.finetune import FineTuning, read_meta
from pipeline.personalize.footage import prepare
from pipeline.personalize.mouths import MouthJudge
from pipeline.personalize.personalize import AFTER, BEFORE, OTHER_SPEECH, Personalized, clip_params, personalize
from pipeline.personalize.report import print_report
from pipeline.runtime.errors import PipelineError
from pipeline.shards.clip_store import ClipStore
from tests.media.encode import encode, even_times
from tests.personalize.conftest import CLIPS

STEPS = {"atnet": 1, "vgnet": 1}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped models with an AT-net that moves the mouth the wrong way and holds it askew.

    The second error is the same in all frames, so the gain of a better AT-net is beyond its noise on few frames.
    """
    folder = tmp_path_factory.mktemp("bundle")
    shipped = load_bundle(pretrained_folder())
    for name in ("landmarks", "vgnet"):
        shutil.copytree(pretrained_folder() / name, folder / name)
    with torch.no_grad():
        for layer in (shipped.atnet.coefficients, shipped.atnet.linear, shipped.atnet.resting):
            for parameter in layer.parameters():
                parameter.mul_(-1.0)
        shipped.atnet.coefficients.bias[1] += 1.0
    save_model(folder / "atnet", "model", shipped.atnet, read_model(pretrained_folder() / "atnet", "model")[0]["meta"])
    write_card(folder, {"name": "small", "face": "largest", "licence": "CC BY 4.0", "attribution": "Somebody."})
    return folder


def tuning_of(bundle: Path, work: Path) -> FineTuning:
    store = ClipStore(work)
    return FineTuning(load_bundle(bundle), store, MouthJudge(store, store.ids("val")), work, 0)


def train_well(video: Path, bundle: Path, work: Path) -> None:
    """Finish both trainings. AT-net gets the shipped weights, because a real training takes minutes."""
    base = load_bundle(bundle)  # which has its own face rule
    prepare([video], clip_params(base), work, jobs=1, initial=base.trained_here.speech.initial)
    tuning_of(bundle, work).run(STEPS)
    meta = {**read_meta(work, "atnet"), "step": STEPS["atnet"]}
    save_model(work / "atnet", "model", load_bundle(pretrained_folder()).atnet, meta)


Files = dict[str, tuple[int, bytes]]


def files_of(network: Path) -> Files:
    """Return when the files of a network were written, and their content."""
    names = ("model.safetensors", "model.json")
    return {name: ((network / name).stat().st_mtime_ns, (network / name).read_bytes()) for name in names}


@pytest.fixture(scope="module")
def interrupted(video: Path, work: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Files]:
    """What a call leaves that is interrupted after both trainings, and its AT-net."""
    out = tmp_path_factory.mktemp("out") / "me"
    shutil.copytree(work, out / "work", symlinks=True)
    train_well(video, bundle, out / "work")
    return out, files_of(out / "work" / "atnet")


@pytest.fixture(scope="module")
def personal(video: Path, bundle: Path, interrupted: tuple[Path, Files]) -> tuple[Path, Personalized]:
    """The result of the call that continues."""
    out, _ = interrupted
    return out, personalize([video], bundle, out, 1.0, 1, STEPS)


def test_the_last_clips_in_time_are_held_out(video: Path, work: Path) -> None:
    store = ClipStore(work)
    train, val, test = (store.ids(split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (CLIPS - 3, 1, 2)
    names = [path.stem for path in sorted(video.glob("*.mpg"))]
    assert [clip.partition("-")[2].partition("#")[0] for clip in (*train, *val, *test)] == names


def test_the_result_is_a_bundle(
    personal: tuple[Path, Personalized], bundle: Path, photograph: NDArray[np.uint8]
) -> None:
    out, result = personal
    assert sorted(path.name for path in out.iterdir()) == ["atnet", "bundle.json", "held_out.csv", "landmarks", "vgnet"]
    head = TalkingHead.from_pretrained(out)
    frames = list(head.generate(np.asarray(cv2.resize(photograph, (256, 256)), np.uint8), np.zeros(6400, np.int16)))
    assert len(frames) == 10
    card = json.loads((out / "bundle.json").read_text())
    assert (card["face"], card["started_from"]["name"]) == ("largest", "small")
    assert card["licence"] == "That of your videos; of the weights it started from: CC BY 4.0"
    assert card["attribution"] == "Your own videos. Somebody."
    assert card["trained_on"]["steps"] == STEPS
    assert card["metrics"] == result.metrics
    assert card["personalized"]["new"] == ["atnet"]
    assert (out / "landmarks" / "landmarks.npz").read_bytes() == (bundle / "landmarks" / "landmarks.npz").read_bytes()


def test_the_report_and_the_table_have_the_metrics(
    personal: tuple[Path, Personalized], capsys: pytest.CaptureFixture[str]
) -> None:
    out, result = personal
    with (out / "held_out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["static", BEFORE] * 2 + [AFTER, OTHER_SPEECH] * 2
    for method, means in result.metrics.items():
        for name, mean in means.items():
            values = [float(row[name]) for row in rows if row["method"] == method]
            assert mean == pytest.approx(np.mean(values), abs=2e-6)
    assert result.metrics["static"]["csim"] > 0.95  # the same person at another moment
    assert result.metrics["static"]["laplacian"] > 20
    print_report(result, out)
    printed = capsys.readouterr().out
    before, after = (result.metrics[method]["lmd"] for method in (BEFORE, AFTER))
    assert after < before
    assert printed.startswith(f"Better: LMD {before:.3f} -> {after:.3f} px")
    assert f"Learnt from {CLIPS - 3} clips, validated on 1, held out 2." in printed
    assert "VG-net, 1 steps: the old weights are kept" in printed


def test_only_the_better_network_is_new(personal: tuple[Path, Personalized], bundle: Path) -> None:
    out, result = personal
    assert result.kept["atnet"] > 0
    assert result.kept["vgnet"] == 0
    for name, same in (("atnet", False), ("vgnet", True), ("landmarks", True)):
        for file in (bundle / name).iterdir():
            assert ((out / name / file.name).read_bytes() == file.read_bytes()) == same


def test_without_improvement_the_models_stay(
    video: Path, work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(work, tmp_path / "me" / "work", symlinks=True)
    result = personalize([video], pretrained_folder(), tmp_path / "me", 1.0, 1, STEPS)
    assert not result.better
    for name in ("atnet", "vgnet", "landmarks"):
        for file in (pretrained_folder() / name).iterdir():
            assert (tmp_path / "me" / name / file.name).read_bytes() == file.read_bytes()
    card = json.loads((tmp_path / "me" / "bundle.json").read_text())
    assert card["personalized"]["new"] == []
    assert card["trained_on"] == json.loads((pretrained_folder() / "bundle.json").read_text())["trained_on"]
    capsys.readouterr()  # the progress of the training
    print_report(result, tmp_path / "me")
    assert capsys.readouterr().out.startswith("No improvement: the old models are kept.")


def test_a_finished_training_is_not_repeated(
    interrupted: tuple[Path, Files], personal: tuple[Path, Personalized]
) -> None:
    out, before = interrupted
    assert files_of(out / "atnet") == before


def test_the_plan_is_kept_when_the_call_continues(work: Path, bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(work, tmp_path / "work", symlinks=True)
    tuning = tuning_of(bundle, tmp_path / "work")
    steps = tuning.plan(60.0)
    assert min(steps.values()) >= 20
    assert tuning.plan(6000.0) == steps


def test_a_bundle_is_not_overwritten(personal: tuple[Path, Personalized], video: Path, bundle: Path) -> None:
    with pytest.raises(PipelineError, match=r"has a bundle\. Give another folder with --out, or remove it\."):
        personalize([video], bundle, personal[0], 1.0, 1, STEPS)


def test_a_short_video_is_rejected(video: Path, bundle: Path, tmp_path: Path) -> None:
    short = sorted(video.glob("*.mpg"))[:2]
    message = (
        r"has 2 clips of 3 s that can be learnt from, and 5 are needed, 15 s: 2 are held out, and one validates\. Give"
    )
    with pytest.raises(PipelineError, match=message):
        personalize(short, bundle, tmp_path, 1.0, 1, STEPS)


@pytest.mark.parametrize(("sound", "why"), [(True, "6 x no face found in any frame"), (False, "6 x no audio stream")])
def test_videos_without_face_or_sound_are_rejected(sound: bool, why: str, bundle: Path, tmp_path: Path) -> None:
    noise = (np.random.default_rng(0).standard_normal(18 * 16000) * 3000).astype(np.int16)
    path = encode(tmp_path / "me.mkv", even_times(18 * 25, 25), audio=noise if sound else None)
    with pytest.raises(PipelineError, match=rf"has 0 clips of 3 s .*Clips that cannot be used:\n  {why} \(such as"):
        personalize([path], bundle, tmp_path / "out", 1.0, 1, STEPS)


def test_other_files_and_bundles_are_rejected(video: Path, bundle: Path, tmp_path: Path) -> None:
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
