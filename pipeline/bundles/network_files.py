"""A network as files: `NAME.safetensors` has the weights, `NAME.json` the architecture and how it was trained."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pipeline.runtime.checkout import or_pull
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath


def save_model(folder: StrPath, name: str, module: nn.Module, meta: dict[str, Any]) -> None:
    """Write a network. Equal weights and an equal `meta` (JSON data) give equal bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    card = {"architecture": type(module).__name__, "arguments": module.arguments, "meta": meta}
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in module.state_dict().items()}
    with replacing(folder / f"{name}.safetensors") as unfinished:
        unfinished.write_bytes(save(tensors))  # save_file would make the file readable for its owner only
    with replacing(folder / f"{name}.json") as unfinished:
        unfinished.write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_model(folder: StrPath, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the architecture, arguments, meta and weights of a network; PipelineError for missing or damaged files."""
    card_path, weights_path = Path(folder, f"{name}.json"), Path(folder, f"{name}.safetensors")
    for path in (card_path, weights_path):
        if not path.exists():
            raise PipelineError(
                f"{path} is missing. Run `dvc repro` to train the model{or_pull()}, or `atvgnet import-upstream` to "
                "import the published one."
            )
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        card = {key: card[key] for key in ("architecture", "arguments", "meta")}
    except (ValueError, KeyError, TypeError) as error:
        raise unknown_network(card_path, error) from error
    try:
        return card, load_file(weights_path)
    except (SafetensorError, OSError) as error:
        raise PipelineError(
            f"{weights_path} is damaged ({error}). Run `dvc repro` to make it again{or_pull()}."
        ) from error


def unknown_network(card_path: Path, error: Exception) -> PipelineError:
    """The error for a file that does not describe a network of this project."""
    return PipelineError(f"{card_path} does not describe a network of this project ({error!r}). Train it again.")
