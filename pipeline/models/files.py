"""Networks as files: `NAME.safetensors`, the weights, and `NAME.json`, the architecture and how it was made."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn


def save_model(folder: Path, name: str, module: nn.Module, meta: dict[str, Any]) -> None:
    """Write a network; equal weights and `meta` (JSON data) give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    card = {"architecture": type(module).__name__, "arguments": module.arguments, "meta": meta}
    unfinished = folder / f"{name}.part"
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in module.state_dict().items()}
    unfinished.write_bytes(save(tensors))  # not save_file, whose files nobody else may read
    os.replace(unfinished, folder / f"{name}.safetensors")
    unfinished.write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(unfinished, folder / f"{name}.json")
