"""The architectures that a network's file may name, and the reading of such files.

A network of one's own is a module of its own and a line here (docs/extending.md).
"""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.runtime.remote import or_pull

ARCHITECTURES: dict[str, type[nn.Module]] = {"AtNet": AtNet, "VgNet": VgNet, "Discriminator": Discriminator}


def load_model(folder: StrPath, name: str) -> tuple[nn.Module, dict[str, Any]]:
    """A network in eval mode on the CPU, and the `meta` it was saved with.

    Raises PipelineError naming the file that is missing, damaged or of another network.
    """
    folder = Path(folder)
    card_path, weights_path = folder / f"{name}.json", folder / f"{name}.safetensors"
    for path in (card_path, weights_path):
        if not path.exists():
            raise PipelineError(
                f"{path} is missing. Run `dvc repro` to train the model{or_pull()}, or `atvgnet import-upstream` to "
                "import the published one."
            )
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        module = ARCHITECTURES[card["architecture"]](**card["arguments"])
        meta: dict[str, Any] = card["meta"]
    except (ValueError, KeyError, TypeError) as error:
        raise PipelineError(
            f"{card_path} does not describe a network of this project ({error!r}). Train it again."
        ) from error
    try:
        tensors = load_file(weights_path)
    except (SafetensorError, OSError) as error:
        raise PipelineError(
            f"{weights_path} is damaged ({error}). Run `dvc repro` to make it again{or_pull()}."
        ) from error
    wrong = first_mismatch(module, tensors)
    if wrong:
        raise PipelineError(f"{weights_path} does not fit {card_path.name}: {wrong}. Train it again.")
    module.load_state_dict(tensors)
    return module.eval(), meta


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
