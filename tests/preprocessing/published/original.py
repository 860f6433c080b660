"""The original's checkpoints, as far as they can be told without them: its layouts, filled by a rule."""

import math
import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

Layouts = dict[str, dict[str, Any]]


def filled(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """Weights by the rule under which the original's outputs were recorded: each from its key's name and shape."""
    tensors = {}
    for name, shape in shapes.items():
        w: Any = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
        last = name.split(".")[-1]
        if last == "num_batches_tracked":
            w = np.zeros(shape, np.int64)
        elif last == "running_var":
            w = 1 + 0.1 * np.abs(w)
        elif last == "running_mean" or "bias" in last:
            w = 0.1 * w
        elif len(shape) == 1:
            w = 1 + 0.1 * w
        else:
            w = w * np.float32(math.sqrt(2 / math.prod(shape[1:])))
        tensors[name] = torch.from_numpy(np.asarray(w))
    return tensors


def hollow(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """Zeros of the same names and shapes that take no room, in memory and in a file."""
    kinds = {"num_batches_tracked": torch.int64}
    return {
        name: torch.zeros((), dtype=kinds.get(name.split(".")[-1], torch.float32)).expand(shape)
        for name, shape in shapes.items()
    }


def assert_equal(ours: Tensor, golden: Tensor) -> None:
    """Within a thousandth of the output's scale."""
    assert ours.shape == golden.shape
    torch.testing.assert_close(ours, golden, rtol=0, atol=1e-3 * golden.abs().max().item())
