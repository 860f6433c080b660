"""A trained network as MLflow serves it: named arrays in, named arrays out.

MLflow imports this module from the source code that is logged with the model. A registered network therefore loads in
any environment with NumPy, safetensors and torch, also after this repository has changed.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import numpy as np
import torch

from pipeline.bundles.networks import load_model
from pipeline.runtime.paths import StrPath


class ServableNetwork(Protocol):
    """A network that names its inputs and outputs; -1 stands for an axis of any length."""

    inputs: dict[str, tuple[int, ...]]
    """Shapes of the arguments that `forward` requires."""
    outputs: dict[str, tuple[int, ...]]
    """Shapes of the tensors that `forward` returns, in order, without those that are None."""

    def __call__(self, **tensors: torch.Tensor) -> Any:
        """Run the network."""


class ServedNetwork:
    """Wraps a network for `mlflow.pyfunc`."""

    def __init__(self, network: ServableNetwork) -> None:
        self.network = network

    def predict(self, arrays: Mapping[str, np.ndarray], params: Any = None) -> dict[str, np.ndarray]:
        """Run the network on float32 arrays by name. MLflow checks them against the signature first."""
        with torch.inference_mode():
            returned = self.network(**{name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        tensors = [returned] if torch.is_tensor(returned) else [tensor for tensor in returned if tensor is not None]
        return {name: tensor.numpy() for name, tensor in zip(self.network.outputs, tensors, strict=True)}


def load(folder: StrPath) -> ServedNetwork:
    """Load the network in `folder` on the CPU. Raises PipelineError if it is missing or damaged."""
    return ServedNetwork(cast(ServableNetwork, load_model(folder, "model")[0]))


def _load_pyfunc(path: str) -> ServedNetwork:
    return load(path)
