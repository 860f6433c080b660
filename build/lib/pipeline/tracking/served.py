"""A trained network as MLflow serves it: named arrays in, named arrays out.

MLflow imports this module out of the source that was logged with the model, so a version in the registry works in any
environment with the requirements below, also after this repository has changed or moved.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

REQUIREMENTS = ("numpy", "safetensors", "torch")
"""What loading and predicting takes, besides this library's source."""


class Served:
    """Wraps a network for `mlflow.pyfunc`."""

    def __init__(self, module: Any) -> None:
        self.module = module.eval()

    def predict(self, arrays: Mapping[str, np.ndarray], params: Any = None) -> dict[str, np.ndarray]:
        """Run the network on the arrays that its `forward` names; MLflow checks them against the signature."""
        import torch

        with torch.inference_mode():
            output = self.module(**{name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in arrays.items()})
        named = {"output_" + "BT"[: output.ndim] + "K" * (output.ndim > 2): output} if torch.is_tensor(output) else None
        fields = named or (output._asdict() if hasattr(output, "_asdict") else vars(output))
        return {name: value.numpy() for name, value in fields.items() if value is not None}


def load(folder: Path) -> Served:
    """The network saved in `folder`, on the CPU."""
    from pipeline.models.registry import load_model

    module, _ = load_model(folder, "model")
    return Served(module)


def _load_pyfunc(path: str) -> Served:
    return load(Path(path))
