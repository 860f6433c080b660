"""Weights that metrics need and the project does not carry: the user says where they are.

The variable ``ATVGNET_NAME`` holds the path of what a metric's entry calls ``name``, so that worker processes know it.
"""

import os
from pathlib import Path

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
