"""Networks as files: `NAME.safetensors`, the weights, and `NAME.json`, the architecture and how it was made."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath


def save_model(folder: StrPath, name: str, module: nn.Module, meta: dict[str, Any]) -> None:
    """Write a network; equal weights and `meta` (JSON data) give equal bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    card = {"architecture": type(module).__name__, "arguments": module.arguments, "meta": meta}
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in module.state_dict().items()}
    with replacing(folder / f"{name}.safetensors") as unfinished:
        unfinished.write_bytes(save(tensors))  # not save_file, whose files nobody else may read
    with replacing(folder / f"{name}.json") as unfinished:
        unfinished.write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", encoding="utf-8")
