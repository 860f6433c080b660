"""Trainings that start from a bundle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from pipeline.bundles.location import find_bundle
from pipeline.bundles.networks import load_model
from pipeline.runtime.errors import PipelineError
from pipeline.training.atnet import AtNetTask
from pipeline.training.loop import train
from pipeline.training.start_from_bundle import Start, open_start
from pipeline.training.vgnet import VgNetTask
from tests.training.runs import AT, TRAIN, VAL, VG, Interrupt, outs
from tests.training.synthetic import DrawnClips

BELONGS = {"landmarks": "L", "speech": {"window": 0.025, "rows": 28}, "crop": {"size": 128, "points": ((64.0, 38.7),)}}
OTHERS = DrawnClips(3, seed=7), DrawnClips(2, seed=8)


def run(name: str, folder: Path, start: Start | None = None, others: bool = True, **changes: Any) -> None:
    """Train into folder/NAME, on other clips than those of the bundle."""
    clips = OTHERS if others else (TRAIN, VAL)
    make: Any = (
        (AtNetTask, replace(AT, lr=1e-4, **changes))
        if name == "atnet"
        else (VgNetTask, replace(VG, lr=1e-5, **changes))
    )
    task = make[0](*clips, make[1], 0, BELONGS, start)
    train(task, folder / name, folder / "resume" / name)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    for name in ("atnet", "vgnet"):
        run(name, folder, others=False)
    return folder


def weights(folder: Path, file: str = "model") -> dict[str, torch.Tensor]:
    return load_file(folder / f"{file}.safetensors")


def meta_of(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "model.json").read_text())["meta"]
    return meta


@pytest.mark.parametrize("name", ["atnet", "vgnet"])
def test_starts_from_the_weights_and_records_their_hashes(name: str, bundle: Path, tmp_path: Path) -> None:
    start = open_start(name, bundle, BELONGS)
    run(name, tmp_path, start, steps=1, warmup=100, ema=0.0, keep="last", validate_every=1)
    before, after = weights(bundle / name), weights(tmp_path / name)
    largest = {
        key: float((after[key] - before[key]).abs().max())
        for key in before
        if "batches" not in key and "running" not in key
    }
    assert max(largest.values()) < 2e-5, "more than one short step of Adam from the bundle's"
    files = sorted((bundle / name).glob("*.safetensors"))
    assert meta_of(tmp_path / name)["init"] == {
        file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def test_additions_of_the_bundle_must_be_set(bundle: Path, tmp_path: Path) -> None:
    """Their arguments are not in the files of networks without them."""
    run("atnet", tmp_path, encoder="conv1d", steps=1)
    run("vgnet", tmp_path, mouth_detail=True, steps=1)
    with pytest.raises(
        PipelineError, match=r"has encoder conv1d, and atnet\.encoder is conv2d\. Set atnet\.encoder to "
    ):
        AtNetTask(*OTHERS, AT, 0, BELONGS, open_start("atnet", tmp_path, BELONGS))
    with pytest.raises(PipelineError, match=r"has encoder conv2d, and atnet\.encoder is conv1d\."):
        AtNetTask(*OTHERS, replace(AT, encoder="conv1d"), 0, BELONGS, open_start("atnet", bundle, BELONGS))
    with pytest.raises(PipelineError, match=r"has mouth_detail True, and vgnet\.mouth_detail is False\."):
        VgNetTask(*OTHERS, VG, 0, BELONGS, open_start("vgnet", tmp_path, BELONGS))


def test_detail_of_the_mouth_can_be_added(bundle: Path) -> None:
    start = open_start("vgnet", bundle, BELONGS)
    task = VgNetTask(*OTHERS, replace(VG, mouth_detail=True), 0, BELONGS, start)
    for key, tensor in weights(bundle / "vgnet").items():
        assert torch.equal(task.network.state_dict()[key], tensor)


def test_discriminator_is_loaded_if_the_bundle_has_one(bundle: Path, tmp_path: Path) -> None:
    start = open_start("vgnet", bundle, BELONGS)
    task = VgNetTask(*OTHERS, VG, 0, BELONGS, start)
    for key, tensor in weights(bundle / "vgnet", "discriminator").items():
        assert torch.equal(task.discriminator.state_dict()[key], tensor)
    for path in (bundle / "vgnet").glob("model.*"):
        (tmp_path / "vgnet").mkdir(exist_ok=True)
        (tmp_path / "vgnet" / path.name).write_bytes(path.read_bytes())
    slim = open_start("vgnet", tmp_path, BELONGS)
    assert slim is not None
    assert list(slim.digests) == ["model"]
    theirs = weights(bundle / "vgnet", "discriminator")
    drawn = VgNetTask(*OTHERS, VG, 0, BELONGS, slim).discriminator.state_dict()
    assert any(not torch.equal(drawn[key], theirs[key]) for key in theirs)


def test_half_precision_weights_are_loaded_as_float32(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "atnet").mkdir()
    (tmp_path / "atnet" / "model.json").write_bytes((bundle / "atnet" / "model.json").read_bytes())
    given = weights(bundle / "atnet")
    halves = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in given.items()}
    save_file(halves, tmp_path / "atnet" / "model.safetensors")
    task = AtNetTask(*OTHERS, AT, 0, BELONGS, open_start("atnet", tmp_path, BELONGS))
    for key, tensor in task.network.state_dict().items():
        assert tensor.dtype == given[key].dtype
        assert torch.equal(tensor, halves[key].to(tensor.dtype))


class Wrong(DrawnClips):
    """What is learnt from it is good for nothing."""

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        return super().coefficients(clip) + 50


def test_weights_of_the_bundle_are_kept_if_no_later_ones_are_better(bundle: Path, tmp_path: Path) -> None:
    start = open_start("atnet", bundle, BELONGS)
    run("atnet", tmp_path, start, others=False, steps=3, ema=0.0, warmup=0, grad_clip=0.0, validate_every=1)
    rows = (tmp_path / "atnet" / "history.csv").read_text().splitlines()
    assert rows[1].startswith("0,")
    task = AtNetTask(Wrong(3), VAL, replace(AT, lr=0.1, warmup=0), 0, BELONGS, start)
    assert train(task, tmp_path / "bad", tmp_path / "resume")["step"] == 0
    kept, _ = load_model(tmp_path / "bad", "model")
    for key, tensor in weights(bundle / "atnet").items():
        assert torch.equal(kept.state_dict()[key], tensor)


def test_killed_training_resumes_unless_the_bundle_was_replaced(bundle: Path, tmp_path: Path) -> None:
    start = open_start("atnet", bundle, BELONGS)
    task = AtNetTask(*OTHERS, AT, 0, BELONGS, start)
    with pytest.raises(KeyboardInterrupt):
        train(task, tmp_path / "out", tmp_path / "resume", [Interrupt(4)])
    run_whole = AtNetTask(*OTHERS, AT, 0, BELONGS, start)
    train(run_whole, tmp_path / "whole" / "out", tmp_path / "elsewhere")
    train(AtNetTask(*OTHERS, AT, 0, BELONGS, start), tmp_path / "out", tmp_path / "resume")
    assert outs(tmp_path) == outs(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(AtNetTask(*OTHERS, AT, 0, BELONGS, start), tmp_path / "out", tmp_path / "resume", [Interrupt(4)])
    other = Start("atnet", bundle / "atnet", {"model": "another"})
    train(AtNetTask(*OTHERS, AT, 0, BELONGS, other), tmp_path / "other", tmp_path / "resume")
    assert meta_of(tmp_path / "other")["init"] == {"model": "another"}
    assert len(list((tmp_path / "resume").rglob("*.pt"))) == 1  # of the one that was killed


REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"landmarks": "M"}, r"atnet was trained with another landmark model than models.landmarks\. Set pca\.init"),
    ({"speech": {"window": 0.03, "rows": 28}}, r"\(speech: window 0\.025 and not 0\.03\)\. Set the params of that"),
    ({"speech": {"window": 0.025, "rows": 28, "kind": "mel"}}, r"\(speech: kind None and not mel\)"),
    (
        {"speech": {"window": 0.025, "rows": 28, "initial": {"mean": [0.0]}}},
        r"of data.mfcc\. Set mfcc\.init to the same",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_other_data_is_refused(changes: Mapping[str, Any], message: str, bundle: Path) -> None:
    with pytest.raises(PipelineError, match=message):
        open_start("atnet", bundle, {**BELONGS, **changes})


def test_other_width_is_refused_naming_both(bundle: Path) -> None:
    start = open_start("vgnet", bundle, BELONGS)
    message = r"vgnet\.init: .*vgnet has width 8, and vgnet\.width is 16\. Set vgnet\.width to 8, or start from another"
    with pytest.raises(PipelineError, match=message):
        VgNetTask(TRAIN, VAL, replace(VG, width=16), 0, BELONGS, start)
    with pytest.raises(PipelineError, match=r"has attention True, and vgnet\.attention is False"):
        VgNetTask(TRAIN, VAL, replace(VG, attention=False), 0, BELONGS, start)
    VgNetTask(TRAIN, VAL, replace(VG, dropout=0.5), 0, BELONGS, start)  # no weight hangs on it


def test_missing_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PipelineError, match=r"atnet.model\.json is missing"):
        open_start("atnet", tmp_path, BELONGS)
    assert open_start("atnet", None, BELONGS) is None
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with pytest.raises(PipelineError, match=r"init: .*/none is not a folder\. Give that of a bundle"):
        find_bundle("none", param="init")
    (tmp_path / "models").mkdir()
    assert find_bundle("models", param="init") == tmp_path / "models"
