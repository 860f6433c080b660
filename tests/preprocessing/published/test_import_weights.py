"""The import, compared with recorded outputs of the original."""

import json
import wave
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.bundles.networks import load_model
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.models.vgnet import VgNet
from pipeline.preprocessing.published.import_weights import import_published
from pipeline.preprocessing.published.recipe import PublishedPreprocessing
from pipeline.runtime.errors import PipelineError
from tests.media.pictures import count_frames
from tests.preprocessing.published.original import Layouts, assert_equal, hollow


@torch.inference_mode()
def test_atnet(imported: Path, golden: dict[str, Tensor]) -> None:
    network, meta = load_model(imported / "atnet", "model")
    assert meta["file"] == "atnet.pth"
    assert len(meta["sha256"]) == 64
    assert_equal(
        network(golden["atnet_lstm__example"], golden["atnet_lstm__mfcc"].unsqueeze(2)), golden["atnet_lstm__out"]
    )


@torch.inference_mode()
def test_vgnet(imported: Path, golden: dict[str, Tensor]) -> None:
    network, _ = load_model(imported / "vgnet", "model")
    assert isinstance(network, VgNet)
    assert network.gru.recurrence == "batch"
    out = network(golden["vgnet__image"], golden["vgnet__example"], golden["vgnet__landmarks"])
    assert_equal(out.frames_BTCHW, golden["vgnet__frames"])
    assert_equal(out.attention_BT1HW, golden["vgnet__attention"])
    assert_equal(out.colour_BTCHW, golden["vgnet__color"])
    assert_equal(out.landmark_attention_BT1HW, golden["vgnet__landmark_attention"])


@pytest.mark.slow
def test_imported_models_generate_a_video(imported: Path, original: Path, tmp_path: Path) -> None:
    with (
        wave.open(str(original / "demo" / "speech.wav")) as whole,
        wave.open(str(tmp_path / "a.wav"), "wb") as part,
    ):
        part.setparams(whole.getparams())
        part.writeframes(whole.readframes(6000))
    head = TalkingHead.from_pretrained(imported)
    assert isinstance(head.preprocessing, PublishedPreprocessing)
    out = tmp_path / "out.mp4"
    assert generate_video(head, original / "demo" / "s20.png", tmp_path / "a.wav", out)[0] == 10
    assert count_frames(out) == 10


def test_networks_may_be_imported_one_by_one(layouts: Layouts, original: Path, tmp_path: Path) -> None:
    torch.save(hollow(layouts["atnet_single"]["state_dict"]), tmp_path / "single.pth")
    to, basics = tmp_path / "models", original / "basics"
    lines = import_published(tmp_path / "single.pth", None, basics, to)
    assert lines[0].startswith(f"{to}/atnet: the single-frame AT-net, 27,833,862 parameters, from ")
    assert lines[1] == "Still missing: run this again with --vgnet FILE"
    assert json.loads((to / "atnet" / "model.json").read_text())["arguments"]["recurrent"] is False
    with pytest.raises(PipelineError, match=r"vgnet/model\.json is missing\. .* `atvgnet import-upstream`"):
        TalkingHead.from_pretrained(to)


def test_the_second_import_keeps_an_edited_record(layouts: Layouts, original: Path, tmp_path: Path) -> None:
    torch.save(hollow(layouts["atnet_single"]["state_dict"]), tmp_path / "single.pth")
    torch.save(hollow(layouts["vgnet_generator"]["state_dict"]), tmp_path / "vgnet.pth")
    to = tmp_path / "my models"
    with pytest.raises(PipelineError, match=r"Give the folder basics of the original's repository with --basics"):
        import_published(tmp_path / "single.pth", None, None, to)
    assert not to.exists()
    import_published(tmp_path / "single.pth", None, original / "basics", to)
    record = to / "preprocessing.json"
    edited = record.read_text().replace("2.2", "1.0")
    record.write_text(edited)
    arrays = (to / "preprocessing.npz").read_bytes()
    for basics in (None, original / "basics"):
        lines = import_published(None, tmp_path / "vgnet.pth", basics, to)
        assert lines[0] == f"{record} stays as it is; remove it and give --basics for the original's numbers"
        assert f"atvgnet generate --models '{to}' -p face.jpg -i speech.wav -o out.mp4" in lines
        assert record.read_text() == edited
        assert (to / "preprocessing.npz").read_bytes() == arrays


def test_an_error_leaves_no_file(layouts: Layouts, original: Path, tmp_path: Path) -> None:
    basics, good, bad, to = original / "basics", tmp_path / "good.pth", tmp_path / "bad.pth", tmp_path / "to"
    torch.save(hollow(layouts["atnet_lstm"]["state_dict"]), good)
    bad.write_text("<html>")
    cases: list[tuple[Path | None, Path | None, Path, str]] = [
        (None, None, basics, r"nothing to import\. Give --atnet FILE, --vgnet FILE or both"),
        (good, bad, basics, r"bad\.pth is a web page"),
        (good, good, basics, r"good\.pth holds AT-net, not VG-net"),
        (good, None, tmp_path, r"mean_shape_img\.npy is missing"),
    ]
    for atnet, vgnet, folder, message in cases:
        with pytest.raises(PipelineError, match=message):
            import_published(atnet, vgnet, folder, to)
    assert not to.exists()


def test_models_trained_here_are_not_replaced(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine" / "landmarks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for to in (Path("mine"), Path("models"), Path("mine/../models")):
        with pytest.raises(PipelineError, match=r"is for models that are trained here\. Give another folder with --to"):
            import_published(Path("a.pth"), None, original / "basics", to)


def test_an_unwritable_folder_is_reported(layouts: Layouts, original: Path, tmp_path: Path) -> None:
    torch.save(hollow(layouts["atnet_lstm"]["state_dict"]), tmp_path / "a.pth")
    (tmp_path / "file").touch()
    with pytest.raises(PipelineError, match=r"file/to cannot be written .* Make room"):
        import_published(tmp_path / "a.pth", None, original / "basics", tmp_path / "file" / "to")


def test_inputs_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also under another name. Nothing is read before."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "basics").mkdir()
    (tmp_path / "models/atnet").mkdir(parents=True)
    (tmp_path / "to/atnet").mkdir(parents=True)
    (tmp_path / "mine.pth").write_text("weights")
    (tmp_path / "to/atnet/model.safetensors").symlink_to(tmp_path / "mine.pth")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/atnet").symlink_to(tmp_path / "models/atnet")
    for to, said in (
        ("basics", "lies in the input basics"),
        ("to/../basics", "lies in the input basics"),
        ("to", "is the input mine.pth"),
        ("linked", "is for models that are trained here"),
        ("models/atnet/new", "is for models that are trained here"),
    ):
        with pytest.raises(PipelineError, match=said):
            import_published("mine.pth", None, "basics", to)
    assert (tmp_path / "mine.pth").read_text() == "weights"
