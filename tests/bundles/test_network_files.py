import json
from pathlib import Path

import pytest
import torch

from pipeline.bundles.network_files import save_model
from pipeline.bundles.networks import load_model
from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_model(tmp_path, "model", AtNet(components=4, width=8), {"seed": 3})
    return tmp_path


@pytest.mark.parametrize(
    "network", [AtNet(width=8, recurrent=False), VgNet(width=8, recurrence="batch"), Discriminator(width=8)]
)
def test_round_trip(network: torch.nn.Module, tmp_path: Path) -> None:
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    save_model(tmp_path, "x", network, {"trained_on": ["a", 1]})
    loaded, meta = load_model(tmp_path, "x")
    assert meta == {"trained_on": ["a", 1]}
    assert type(loaded) is type(network)
    assert loaded.arguments == network.arguments
    assert not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_equal_models_have_equal_bytes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    again = tmp_path_factory.mktemp("again")
    loaded, meta = load_model(folder, "model")
    save_model(again, "model", loaded, meta)
    for name in ("model.safetensors", "model.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert len(list(again.iterdir())) == 2


def test_missing_files_are_reported(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(PipelineError, match=r"model\.safetensors is missing. Run `dvc repro` to train the model"):
        load_model(folder, "model")
    with pytest.raises(PipelineError, match=r"other\.json is missing"):
        load_model(folder, "other")


def test_damaged_files_are_reported(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    with pytest.raises(PipelineError, match=r"model\.safetensors is damaged"):
        load_model(folder, "model")
    weights.write_bytes(whole)
    (folder / "model.json").write_text("{")
    with pytest.raises(PipelineError, match=r"model\.json does not describe a network of this project"):
        load_model(folder, "model")
    (folder / "model.json").write_text('{"architecture": "Resnet", "arguments": {}, "meta": {}}')
    with pytest.raises(PipelineError, match=r"model\.json does not describe a network of this project"):
        load_model(folder, "model")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"components": 5, "width": 8, "recurrent": True},
            r"size mismatch for reference\.0\.weight: .*\[32, 4\].*\[32, 5\]",
        ),
        ({"components": 4, "width": 8, "recurrent": False}, r"Missing key.* \"speech\.0\.0\.bias\""),
    ],
)
def test_weights_of_another_architecture_are_rejected(folder: Path, arguments: dict[str, object], message: str) -> None:
    card = folder / "model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"arguments": arguments}))
    with pytest.raises(PipelineError, match=message):
        load_model(folder, "model")
