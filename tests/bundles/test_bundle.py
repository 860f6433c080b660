"""Bundles are read back, and rejected if their parts do not fit each other."""

import json
import logging
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.bundles.bundle import PUBLISHED, load_bundle, write_provenance
from pipeline.bundles.network_files import save_model
from pipeline.faces.crop import CROP, crop_geometry
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.normalisation import InitialStatistics
from tests.factories import MFCC, fitted, write_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "models")


def test_initial_statistics_are_part_of_the_bundle(tmp_path: Path) -> None:
    initial = InitialStatistics((-1.5,) * 27, (2.25,) * 27)
    speech = SpeechFeatures.of(0.025, "log_mel", "adaptive", initial)
    folder = write_bundle(tmp_path / "models", speech=speech)
    assert load_bundle(folder).trained_here.speech == speech
    assert (
        "initial"
        not in json.loads((write_bundle(tmp_path / "plain") / "atnet/model.json").read_text())["meta"]["speech"]
    )


def test_all_parts_are_read_back(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.trained_here.crop == CROP
    assert bundle.trained_here.speech == MFCC
    assert bundle.card["metrics"]["at_vg"]["lmd"] == 1.0
    assert bundle.card["commit"] is None
    assert not bundle.vgnet.training
    write_provenance(folder, "c0ffee")
    assert load_bundle(folder).card["commit"] == "c0ffee"


def test_a_bundle_of_larger_faces(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "models", size=256))
    assert bundle.vgnet.size == 256
    assert bundle.trained_here.crop == crop_geometry(256)


@pytest.mark.parametrize(("network", "crop"), [(128, 256), (256, 128)])
def test_a_network_of_another_size_than_its_crops_is_rejected(folder: Path, network: int, crop: int) -> None:
    meta = {"landmarks": fitted(0).digest, "crop": asdict(crop_geometry(crop))}
    save_model(folder / "vgnet", "model", VgNet(width=8, size=network), meta)
    message = (
        rf"models/vgnet does not fit its crops: .* takes pictures of {network} pixels .* on crops of {crop}\. Take"
    )
    with pytest.raises(PipelineError, match=message):
        load_bundle(folder)


def test_equal_bundles_have_equal_bytes(folder: Path, tmp_path: Path) -> None:
    again = write_bundle(tmp_path / "again")
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == 6
    for name in files:
        assert (folder / name).read_bytes() == (again / name).read_bytes(), name


@pytest.mark.parametrize(("part", "named"), [("atnet", "atnet"), ("vgnet", "vgnet"), ("landmarks", "atnet")])
def test_parts_of_two_bundles_are_rejected(folder: Path, tmp_path: Path, part: str, named: str) -> None:
    foreign = write_bundle(tmp_path / "foreign", seed=1)
    shutil.rmtree(folder / part)
    shutil.copytree(foreign / part, folder / part)
    with pytest.raises(PipelineError, match=rf"models/{named} and \S*models/landmarks do not belong together"):
        load_bundle(folder)


def test_mixed_published_and_own_networks_are_rejected(folder: Path) -> None:
    save_model(folder / "vgnet", "model", VgNet(width=8), {"landmarks": PUBLISHED})
    with pytest.raises(PipelineError, match=r"models/atnet and \S*models/vgnet do not belong together"):
        load_bundle(folder)


def test_another_network_in_a_part_is_rejected(folder: Path) -> None:
    save_model(folder / "vgnet", "model", Discriminator(width=8), {"landmarks": fitted(0).digest})
    with pytest.raises(PipelineError, match=r"models/vgnet holds Discriminator where VgNet belongs"):
        load_bundle(folder)


def test_another_number_of_components_is_rejected(folder: Path) -> None:
    landmarks = fitted(0)
    narrow = replace(landmarks, basis=landmarks.basis[:, :5])
    narrow.save(folder / "landmarks")
    for name in ("atnet", "vgnet"):
        card = folder / name / "model.json"
        card.write_text(card.read_text().replace(landmarks.digest, narrow.digest))
    with pytest.raises(PipelineError, match=r"models/atnet and \S*models/landmarks do not .*: 6 and 5 components"):
        load_bundle(folder)


def test_models_of_an_earlier_version_are_rejected(folder: Path) -> None:
    save_model(folder / "vgnet", "model", VgNet(width=8), {"landmarks": fitted(0).digest})
    with pytest.raises(PipelineError, match=r"written by another version of this project .* `dvc repro`"):
        load_bundle(folder)


def test_a_card_of_other_weights_is_ignored_with_a_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_model(folder / "vgnet", "model", VgNet(width=8), {"landmarks": fitted(0).digest, "crop": asdict(CROP)})
    with caplog.at_level(logging.WARNING):
        assert load_bundle(folder).card == {}
    assert "describes other weights than those beside it" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"bundle\.json is not the card of a bundle"),
        ("{}", r"bundle\.json is not the card of a bundle"),
        (json.dumps({"format": 99, "parts": {}}), r"bundle\.json has format 99, and this version reads 1"),
    ],
)
def test_a_damaged_card_is_reported(folder: Path, text: str, message: str) -> None:
    (folder / "bundle.json").write_text(text)
    with pytest.raises(PipelineError, match=message):
        load_bundle(folder)


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none is missing\. Train the models with `dvc repro`"):
        load_bundle(tmp_path / "none")
