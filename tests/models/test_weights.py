from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.models import AtNet, Discriminator, VgNet
from pipeline.models.weights import save_tensors


@pytest.mark.parametrize("network", [AtNet(components=5, width=8), VgNet(width=8), Discriminator(width=16)])
def test_the_bytes_are_those_of_the_package(network: torch.nn.Module, tmp_path: Path) -> None:
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    save_tensors(network.state_dict(), tmp_path / "ours")
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, tmp_path / "theirs")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_headers_of_any_length(tmp_path: Path) -> None:
    for length in range(1, 18):
        tensors = {"n" * length: torch.arange(length), "a": torch.zeros(0, 3), "z": torch.tensor(1.5)}
        save_tensors(tensors, tmp_path / "ours")
        save_file(tensors, tmp_path / "theirs")
        assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
