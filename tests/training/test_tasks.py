"""The tasks of both networks: options, losses, and that they learn."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.bundles.networks import load_model
from pipeline.config.training import PictureAugmentation
from pipeline.landmarks.pca import LandmarkModel
from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.training.atnet import AtNetTask
from pipeline.training.loop import train
from pipeline.training.vgnet import VgNetTask
from tests.training.runs import AT, FILES, TRAIN, VAL, VG, Interrupt, Recorder, outs, run
from tests.training.synthetic import DrawnClips


@pytest.mark.slow
def test_faces_of_256_pixels(tmp_path: Path) -> None:
    train_clips, val_clips = (DrawnClips(2, seed=seed, size=256) for seed in (0, 1))
    recorder = Recorder()
    task = VgNetTask(train_clips, val_clips, replace(VG, steps=2), 0)
    train(task, tmp_path / "out", tmp_path / "resume", (recorder,))
    for name, kind in (("model", VgNet), ("discriminator", Discriminator)):
        network, _ = load_model(tmp_path / "out", name)
        assert isinstance(network, kind)
        assert network.arguments["size"] == 256
    assert [shape for _, _, shape in recorder.pictures] == [(2 * 256, 4 * 256, 3)]


class Changed(DrawnClips):
    """Its sound has three changed versions."""

    variants = 3


def test_variants_of_the_sound_are_drawn_and_survive_a_restart(tmp_path: Path) -> None:
    """So they train otherwise, and a training that was broken off still equals a whole one."""
    with pytest.raises(KeyboardInterrupt):
        train(AtNetTask(Changed(3), VAL, AT, 0), tmp_path / "out", tmp_path / "resume", (Interrupt(4),))
    for folder in (tmp_path, tmp_path / "whole"):
        train(AtNetTask(Changed(3), VAL, AT, 0), folder / "out", folder / "resume")
    assert outs(tmp_path) == outs(tmp_path / "whole")
    run("atnet", tmp_path / "plain")
    assert outs(tmp_path)["model.safetensors"] != outs(tmp_path / "plain")["model.safetensors"]


def test_conv1d_with_its_dropout_survives_a_restart(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("atnet", tmp_path, (Interrupt(4),), encoder="conv1d")
    for folder in (tmp_path, tmp_path / "whole"):
        run("atnet", folder, encoder="conv1d")
    assert outs(tmp_path) == outs(tmp_path / "whole")
    network, _ = load_model(tmp_path / "out", "model")
    assert isinstance(network, AtNet)
    assert network.arguments["encoder"] == "conv1d"


class Wide(DrawnClips):
    """Hears 26 bands."""

    def windows(self, clip: int) -> NDArray[np.float32]:
        return np.repeat(super().windows(clip), 3, axis=2)[:, :, :26]


def test_input_has_as_many_columns_as_the_features(tmp_path: Path) -> None:
    train(AtNetTask(Wide(3), Wide(2, seed=1), AT, 0), tmp_path / "out", tmp_path / "resume")
    model, _ = load_model(tmp_path / "out", "model")
    assert isinstance(model, AtNet)
    assert model.inputs["windows_BT1RC"] == (-1, -1, 1, 28, 26)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"attention": False},
        {"dynamic_loss": False},
        {"regression_weight": 0.0},
        {"adversarial_weight": 0.0},
        {"recurrence": "none"},
        {"recurrence": "batch"},
        {"precision": "float32", "ema": 0.0, "grad_clip": 0.0, "schedule": "constant"},
    ],
)
def test_ablations_train(changes: dict[str, Any], tmp_path: Path) -> None:
    run("vgnet", tmp_path, steps=2, **changes)
    assert list(outs(tmp_path)) == FILES["vgnet"]


def test_detail_and_discriminator_of_the_mouth_survive_a_restart(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"adversarial_weight": 0.0, "regression_weight": 0.0, "mouth_detail": True}
    changes |= {"mouth_adversarial_weight": 0.1}
    with pytest.raises(KeyboardInterrupt):
        run("vgnet", tmp_path, (Interrupt(3),), **changes)
    for folder in (tmp_path, tmp_path / "whole"):
        run("vgnet", folder, **changes)
    assert outs(tmp_path) == outs(tmp_path / "whole")
    assert "mouth_discriminator.safetensors" in outs(tmp_path)
    network, _ = load_model(tmp_path / "out", "model")
    assert isinstance(network, VgNet)
    assert network.mouth_detail is not None
    assert network.mouth_detail.placement.tolist() != [500_000] * 3


class Opening(DrawnClips):
    """The inner lips part as the speech says."""

    def landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        points_T68x2 = super().landmarks(clip, mirrored).reshape(-1, 68, 2)
        points_T68x2[:, 65:, 1] += self.openings[clip][:, None]
        return points_T68x2.reshape(-1, 136)


def test_a_share_of_the_references_has_the_widest_mouth() -> None:
    """It lies outside the window. The other references stay as they were."""
    clips = Opening(3)
    plain, half, whole = (VgNetTask(clips, VAL, replace(VG, wide_references=share), 0) for share in (0.0, 0.5, 1.0))
    widened = 0
    for step in range(20):
        drawn = zip(plain.windows(step), half.windows(step), whole.windows(step), strict=True)
        for (_, before), (_, sometimes), (_, always) in drawn:
            outside_T = np.array(clips.openings[before.clip])
            outside_T[before.start : before.start + VG.frames] = -1
            assert always == before._replace(reference=int(outside_T.argmax()))
            assert sometimes in (before, always)
            widened += sometimes == always
    assert 10 <= widened <= 30


def test_without_its_losses_there_is_no_discriminator(tmp_path: Path) -> None:
    run("vgnet", tmp_path, steps=2, adversarial_weight=0.0, regression_weight=0.0)
    assert list(outs(tmp_path)) == FILES["atnet"]


def test_mouth_focus_in_the_loss_of_atnet(tmp_path: Path) -> None:
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(136, TRAIN.coefficients(0).shape[1])))[0]
    landmarks = LandmarkModel(np.zeros((68, 2)), np.zeros(136), basis, np.zeros(136))
    clips = DrawnClips(3)
    clips.model = landmarks
    task = AtNetTask(clips, VAL, replace(AT, mouth_focus=3.0, precision="float32"), 0)
    batch = task.batch(0)
    with torch.no_grad():
        apart = task.network(batch.reference_BK, batch.windows_BT1RC) - batch.coefficients_BTK
    weights = torch.from_numpy(landmarks.mouth_weights(3.0)).float()
    expected = torch.einsum("btk,kl,btl->bt", apart, weights, apart).mean() / len(weights)
    assert task.step(batch)["loss"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_single_frame_atnet_trains(tmp_path: Path) -> None:
    run("atnet", tmp_path, recurrent=False)
    model, _ = load_model(tmp_path / "out", "model")
    assert isinstance(model, AtNet)
    assert not model.recurrent


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_network_differs_only_by_rounding(tmp_path: Path) -> None:
    plain, fast = (
        run("atnet", tmp_path / str(how), steps=2, compile=how, precision="float32") for how in (False, True)
    )
    assert fast["val.loss"] == pytest.approx(plain["val.loss"], rel=1e-4)


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(PipelineError, match=r"needs a C\+\+ compiler.* Install g\+\+ .* compile to false"):
        run("atnet", tmp_path, compile=True)


def test_atnet_learns(tmp_path: Path) -> None:
    """The drawn speech says the opening outright, so little of the movement may be missed after a few seconds."""
    summary = run("atnet", tmp_path, steps=80, validate_every=40, batch=4, frames=8, lr=3e-3, warmup=5)
    assert summary["val.error"] < 0.5


@pytest.mark.slow
def test_vgnet_learns(tmp_path: Path) -> None:
    plain = PictureAugmentation()
    summary = run("vgnet", tmp_path, steps=60, validate_every=10, lr=3e-3, ema=0.0, augment=plain)
    with (tmp_path / "out" / "history.csv").open() as file:
        first = float(next(csv.DictReader(file))["val.pixel"])
    assert summary["val.pixel"] < 0.6 * first


@pytest.mark.parametrize(("real", "fake", "said"), [(0.99, 0.01, "wins"), (0.3, 0.6, "loses"), (0.6, 0.4, None)])
def test_warning_of_a_one_sided_discriminator(real: float, fake: float, said: str | None) -> None:
    warning = VgNetTask(TRAIN, VAL, VG, 0).warning({"real": real, "fake": fake})
    assert warning is None if said is None else f"the discriminator {said} outright" in str(warning)
