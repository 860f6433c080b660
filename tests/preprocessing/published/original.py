"""Checkpoints with the original's keys and shapes, and rule-based weights."""

import math
import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

Layouts = dict[str, dict[str, Any]]


def filled(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """Return weights that follow from key and shape. The original's outputs were recorded with the same rule."""
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
    """Return zeros of the same names and shapes that take no memory and no space in a file."""
    kinds = {"num_batches_tracked": torch.int64}
    return {
        name: torch.zeros((), dtype=kinds.get(name.split(".")[-1], torch.float32)).expand(shape)
        for name, shape in shapes.items()
    }


def assert_equal(ours: Tensor, golden: Tensor) -> None:
    """Compare within a thousandth of the output's scale."""
    assert ours.shape == golden.shape
    torch.testing.assert_close(ours, golden, rtol=0, atol=1e-3 * golden.abs().max().item())
