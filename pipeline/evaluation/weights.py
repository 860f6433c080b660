"""Weights that metrics need and the project does not carry: the user says where they are.

The variable ``ATVGNET_NAME`` holds the path of what a metric's entry calls ``name``, so that worker processes know it.
"""

import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


def variable(name: str) -> str:
    """The environment variable that holds the path."""
    return f"ATVGNET_{name.upper()}"


def give(name: str, path: StrPath) -> None:
    """Say where weights are, for this process and the worker processes that it starts."""
    os.environ[variable(name)] = str(Path(path).absolute())


def missing(name: str) -> str:
    """Why they cannot be used, as a row that is absent says it; empty where they can."""
    path = os.environ.get(variable(name))
    if not path:
        return f"needs weights that the project does not carry; {variable(name)} is to hold their path"
    return "" if Path(path).is_file() else f"{variable(name)} is {path}, which is not a file"


def weights_path(name: str) -> Path:
    """Where they are. PipelineError where they are `missing`."""
    if why := missing(name):
        raise PipelineError(f"The metric cannot be computed: {why}.")
    return Path(os.environ[variable(name)])


def read_weights(path: Path, layout: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Tensors by name from a state dict that torch saved, in which ``layout`` gives names and shapes; others are left.

    Nothing in the file is run. Raises PipelineError where it is not a state dict, or a tensor is missing or of another
    shape.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError, OSError, ValueError) as error:
        raise PipelineError(f"{path} is not a state dict that torch saved ({type(error).__name__}).") from error
    for name, shape in layout.items():
        if shapes.get(name) != tuple(shape):
            has = f"is {shapes[name]}" if name in shapes else "is missing"
            raise PipelineError(f"{path} holds other weights: {name} {has}, not {tuple(shape)}.")
    return {name: state[name] for name in layout}
