"""Networks built from their files."""

import textwrap
from pathlib import Path
from typing import Any

from torch import nn

from pipeline.bundles.network_files import read_model, unknown_network
from pipeline.models.registry import ARCHITECTURES
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


def load_model(folder: StrPath, name: str) -> tuple[nn.Module, dict[str, Any]]:
    """A network in eval mode on the CPU, and its `meta`; PipelineError if files are missing, damaged, or do not fit."""
    card, tensors = read_model(folder, name)
    try:
        module = ARCHITECTURES[card["architecture"]](**card["arguments"])
    except (KeyError, TypeError) as error:
        raise unknown_network(Path(folder, f"{name}.json"), error) from error
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        mismatch = textwrap.shorten(str(error).splitlines()[1], 300).rstrip(".")
        message = f"{Path(folder, name)}.safetensors does not fit {name}.json: {mismatch}. Train it again."
        raise PipelineError(message) from error
    return module.eval(), card["meta"]
