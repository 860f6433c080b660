"""Run a stage: read its params, track one run, and print a clear message if something is wrong."""

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import tracking
from pipeline.bundles.location import find_bundle
from pipeline.config.file import load_params
from pipeline.config.params import Params
from pipeline.corpora.registry import check_corpora
from pipeline.runtime import machine, paths
from pipeline.runtime.checkout import check_experiment, git
from pipeline.runtime.errors import PipelineError, clear_errors
from pipeline.tracking.models import fetch_bundle

DVC_FILES = [Path(__file__).parents[1] / name for name in ("dvc.yaml", "studies/dvc.yaml")]


@dataclass(frozen=True)
class Context:
    """What the body of a stage works with."""

    params: Params
    run: tracking.Run
    project: Path
    """The real project folder; roots of corpora are relative to it."""
    jobs: int
    """Worker processes."""

    def bundle(self, init: str) -> Path | None:
        """The folder of the bundle that a param `init` names, downloaded if it is a registered one; None if empty."""
        return find_bundle(init, param="init", fetch=fetch_bundle) if init else None


Body = Callable[[Context], None]


def params_of(stage: str) -> list[str]:
    """The keys of params.yaml that the stage depends on, as dvc.yaml lists them."""
    declared: dict[str, Any] = {}
    for path in DVC_FILES:
        declared |= yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    return [str(key) for key in declared[stage]["params"]]


def run_stage(name: str, body: Body) -> None:
    """Run ``body`` as the stage ``name`` of dvc.yaml.

    A PipelineError ends the process with its message and exit code 1; outs of earlier runs stay as they are.
    """
    _take_no_arguments(name)
    with clear_errors(name):
        _run(name, body)


def run_training_stage(name: str, body: Body) -> None:
    """As `run_stage`, in all processes that torchrun started; only the first one is tracked.

    Without torchrun, the stage starts ``ATVGNET_PROCESSES`` of them itself, if that is more than one.
    """
    _take_no_arguments(name)
    from torch import distributed

    from pipeline.training.distribution import is_first, joined, launch

    with clear_errors(name):
        processes = machine.training_processes()
        if processes > 1 and not distributed.is_torchelastic_launched():
            launch(f"stages.{name}", processes)
            return
        with joined():
            _run(name, body, tracked=is_first())


def _take_no_arguments(name: str) -> None:
    """If the stage is the program, answer ``--help`` and refuse all other arguments."""
    program = Path(sys.argv[0])
    if (program.parent.name, program.name) == ("stages", f"{name}.py"):
        about = f"{sys.modules['__main__'].__doc__}\nIts params are those of params.yaml; `dvc repro` runs it."
        ArgumentParser(
            f"python -m stages.{name}", description=about, formatter_class=RawDescriptionHelpFormatter
        ).parse_args()


def _read_params() -> Params:
    """The checked parameters. The error for a wrong one says how to undo a change that `dvc exp run -S` leaves."""
    try:
        params = load_params(paths.PARAMS)
        check_corpora(params)
    except PipelineError as error:
        in_workspace = "DVC_EXP_NAME" in os.environ and paths.project_root().samefile(".")
        if not (in_workspace and git("diff", "--name-only", "--", str(paths.PARAMS))):
            raise
        raise PipelineError(f"{error} To undo all changes of the file: git restore {paths.PARAMS}") from error
    return params


def _run(name: str, body: Body, tracked: bool = True) -> None:
    check_experiment()
    params = _read_params()
    stage = tracking.stage(name, params, params_of(name)) if tracked else nullcontext(tracking.Run(None))
    with stage as run:
        body(Context(params, run, paths.project_root(), machine.jobs()))
