"""A trained network as MLflow serves it: named arrays in, named arrays out.

MLflow imports this module out of the source that was logged with the model, so a version in the registry works in any
environment with NumPy, safetensors and torch, also after this repository has changed or moved.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch

from pipeline.models.registry import load_model
from pipeline.runtime.paths import StrPath


class Network(Protocol):
    """What a network that is served says of itself, by name; -1 stands for an axis of any length."""

    inputs: dict[str, tuple[int, ...]]
    """Shapes of the arguments that `forward` needs."""
    outputs: dict[str, tuple[int, ...]]
    """Shapes of the tensors that `forward` returns, in order; those that are None are left out."""

    def __call__(self, **tensors: torch.Tensor) -> Any:
        """Run it."""


class Served:
    """Wraps a network for `mlflow.pyfunc`."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def predict(self, arrays: Mapping[str, np.ndarray], params: Any = None) -> dict[str, np.ndarray]:
        """Run the network on float32 arrays by name; MLflow checks them against the signature."""
        with torch.inference_mode():
            returned = self.network(**{name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        tensors = [returned] if torch.is_tensor(returned) else [tensor for tensor in returned if tensor is not None]
        return {name: tensor.numpy() for name, tensor in zip(self.network.outputs, tensors, strict=True)}


def load(folder: StrPath) -> Served:
    """The network saved in `folder`, on the CPU. Raises PipelineError when it is missing or damaged."""
    folder = Path(folder)
    return Served(cast(Network, load_model(folder, "model")[0]))


def _load_pyfunc(path: str) -> Served:
    return load(Path(path))
