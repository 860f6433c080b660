"""Writes safetensors, as the package of that name does, on a training machine that lacks it.

The format: the length of a JSON header (8 bytes, little-endian), the header, padded with spaces to 8 bytes, and the
tensors' bytes, at the places that the header names (https://github.com/huggingface/safetensors#format).
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

KINDS = {torch.int64: "I64", torch.float32: "F32"}
"""The types of our networks' tensors, in the order in which the package writes them."""


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors of the types in `KINDS`, by name; the same bytes as `safetensors.torch.save_file`."""
    header, place = {}, 0
    order = sorted(tensors, key=lambda name: (list(KINDS).index(tensors[name].dtype), name))
    for name in order:
        tensor, start = tensors[name], place
        place += tensor.nbytes
        header[name] = {"dtype": KINDS[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, place]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(tensors[name].detach().cpu().contiguous().numpy().tobytes())
