"""Weights that metrics need and the project does not carry: the user says where they are.

An environment variable holds the path, so that worker processes know it.
"""

import os
from pathlib import Path

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

VARIABLES = {"alexnet": "ATVGNET_ALEXNET", "syncnet": "ATVGNET_SYNCNET"}
"""The variable by what entries of metrics call the weights."""


def give(name: str, path: StrPath) -> None:
    """Say where weights are, for this process and the worker processes that it starts."""
    os.environ[VARIABLES[name]] = str(Path(path).absolute())


def missing(name: str) -> str:
    """Why they cannot be used, as a row that is absent says it; empty where they can."""
    path = os.environ.get(VARIABLES[name])
    if not path:
        return f"needs weights that the project does not carry; {VARIABLES[name]} is to hold their path"
    return "" if Path(path).is_file() else f"{VARIABLES[name]} is {path}, which is not a file"


def weights_path(name: str) -> Path:
    """Where they are. PipelineError where they are `missing`."""
    if why := missing(name):
        raise PipelineError(f"The metric cannot be computed: {why}.")
    return Path(os.environ[VARIABLES[name]])
