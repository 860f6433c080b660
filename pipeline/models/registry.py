"""The architectures that a network's file may name, and the reading of such files.

A network of one's own is a module of its own and a line here (docs/extending.md).
"""

from pathlib import Path
from typing import Any

from torch import nn

from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.files import foreign, read_model
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

ARCHITECTURES: dict[str, type[nn.Module]] = {"AtNet": AtNet, "VgNet": VgNet, "Discriminator": Discriminator}


def load_model(folder: StrPath, name: str) -> tuple[nn.Module, dict[str, Any]]:
    """A network in eval mode on the CPU, and the `meta` it was saved with.

    Raises PipelineError naming the file that is missing, damaged or of another network.
    """
    card, tensors = read_model(folder, name)
    try:
        module = ARCHITECTURES[card["architecture"]](**card["arguments"])
    except (KeyError, TypeError) as error:
        raise foreign(Path(folder, f"{name}.json"), error) from error
    wrong = first_mismatch(module, tensors)
    if wrong:
        raise PipelineError(f"{Path(folder, name)}.safetensors does not fit {name}.json: {wrong}. Train it again.")
    module.load_state_dict(tensors)
    return module.eval(), card["meta"]


def first_mismatch(module: nn.Module, tensors: dict[str, Any]) -> str | None:
    """What is the first tensor, missing, unknown or misshapen, that keeps `tensors` from being `module`'s weights."""
    own = module.state_dict()
    for key in [*own, *tensors]:
        if key not in tensors:
            return f"{key} is missing"
        if key not in own:
            return f"{key} is unknown"
        if own[key].shape != tensors[key].shape:
            return f"{key} has shape {tuple(tensors[key].shape)} where {tuple(own[key].shape)} belongs"
    return None
