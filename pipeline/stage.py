"""What every stage does: params in, one tracked run, one clear message when something is wrong."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import paths, tracking
from pipeline.config import Params, load_params
from pipeline.errors import PipelineError


@dataclass(frozen=True)
class Context:
    """What a stage's body works with."""

    params: Params
    run: tracking.Run
    project: Path
    """The real project folder, to which relative corpus roots belong."""
    jobs: int
    """Worker processes."""


def run_stage(name: str, uses: Sequence[str], body: Callable[[Context], None]) -> None:
    """Run ``body`` as the stage ``name``, which uses the sections ``uses`` of params.yaml.

    A PipelineError ends the process with its message and exit code 1; outs made by earlier runs stay as they are.
    """
    try:
        params = load_params(paths.PARAMS)
        jobs = paths.jobs()
        with tracking.stage(name, params, uses=uses) as run:
            body(Context(params, run, paths.project_root(), jobs))
    except PipelineError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
