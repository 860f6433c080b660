"""Served networks have the inputs and outputs that they declare."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from pipeline.bundles.network_files import save_model
from pipeline.bundles.served_network import ServedNetwork
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet


@pytest.mark.parametrize(
    "network",
    [
        AtNet(components=5, width=4),
        AtNet(width=4, recurrent=False),
        VgNet(width=4),
        VgNet(width=4, size=256),
        VgNet(width=4, recurrence="batch"),
        VgNet(width=4, recurrence="none", attention=False),
    ],
)
@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (2, 3)])
def test_shapes_are_as_declared(network: nn.Module, batch: int, frames: int, tmp_path: Path) -> None:
    save_model(tmp_path, "model", network, {})
    served = ServedNetwork(tmp_path)

    def sized(shape: tuple[int, ...]) -> tuple[int, ...]:
        free = iter((batch, frames))
        return tuple(next(free) if size == -1 else size for size in shape)

    outputs = served.predict({name: np.zeros(sized(shape), "f4") for name, shape in served.network.inputs.items()})
    assert {name: array.shape for name, array in outputs.items()} == {
        name: sized(shape) for name, shape in served.network.outputs.items()
    }
    assert {array.dtype for array in outputs.values()} == {np.dtype(np.float32)}
