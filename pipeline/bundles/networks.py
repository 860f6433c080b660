"""Networks built from their files."""

from pathlib import Path
from typing import Any

from torch import nn

from pipeline.bundles.network_files import read_model, unknown_network
from pipeline.models.registry import ARCHITECTURES
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


def load_model(folder: StrPath, name: str) -> tuple[nn.Module, dict[str, Any]]:
    """Return a network in eval mode on the CPU, and the `meta` it was saved with.

    Raises PipelineError if a file is missing, damaged, or does not fit its architecture.
    """
    card, tensors = read_model(folder, name)
    try:
        module = ARCHITECTURES[card["architecture"]](**card["arguments"])
    except (KeyError, TypeError) as error:
        raise unknown_network(Path(folder, f"{name}.json"), error) from error
    if mismatch := _first_mismatch(module, tensors):
        raise PipelineError(f"{Path(folder, name)}.safetensors does not fit {name}.json: {mismatch}. Train it again.")
    module.load_state_dict(tensors)
    return module.eval(), card["meta"]


def _first_mismatch(module: nn.Module, tensors: dict[str, Any]) -> str | None:
    """Describe the first tensor that is missing, unknown or of another shape."""
    own = module.state_dict()
    for key in [*own, *tensors]:
        if key not in tensors:
            return f"{key} is missing"
        if key not in own:
            return f"{key} is unknown"
        if own[key].shape != tensors[key].shape:
            return f"{key} has shape {tuple(tensors[key].shape)} where {tuple(own[key].shape)} belongs"
    return None
