"""A trained network as MLflow serves it: named arrays in, named arrays out.

MLflow imports this module from the source code that is logged with the model, which needs NumPy, safetensors and torch.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from pipeline.bundles.networks import load_model
from pipeline.runtime.paths import StrPath


class ServedNetwork:
    """The network in `folder`, on the CPU, for `mlflow.pyfunc`. Raises PipelineError if it is missing or damaged."""

    def __init__(self, folder: StrPath) -> None:
        self.network: Any = load_model(folder, "model")[0]

    def predict(self, arrays: Mapping[str, np.ndarray], params: Any = None) -> dict[str, np.ndarray]:
        """Run the network on float32 arrays by name. MLflow checks them against the signature first."""
        with torch.inference_mode():
            returned = self.network(**{name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        tensors = [returned] if torch.is_tensor(returned) else [tensor for tensor in returned if tensor is not None]
        return {name: tensor.numpy() for name, tensor in zip(self.network.outputs, tensors, strict=True)}


_load_pyfunc = ServedNetwork
