"""What every stage does: params in, one tracked run, one clear message when something is wrong."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pipeline import tracking
from pipeline.config.file import load_params
from pipeline.config.params import Params
from pipeline.corpora.registry import check_corpora
from pipeline.runtime import machine, paths
from pipeline.runtime.checkout import check_experiment
from pipeline.runtime.errors import clear_errors
from pipeline.tracking.models import fetch_bundle


@dataclass(frozen=True)
class Context:
    """What a stage's body works with."""

    params: Params
    run: tracking.Run
    project: Path
    """The real project folder, to which relative corpus roots belong."""
    jobs: int
    """Worker processes."""

    def bundle(self, init: str) -> Path | None:
        """The folder of the bundle that a param `init` names, a registered one fetched; None where it is empty."""
        return fetch_bundle(init) if init.startswith("models:/") else paths.bundle_folder(init)


Body = Callable[[Context], None]


def run_stage(name: str, uses: Sequence[str], body: Body) -> None:
    """Run ``body`` as the stage ``name``, which uses the sections ``uses`` of params.yaml.

    A PipelineError ends the process with its message and exit code 1; outs made by earlier runs stay as they are.
    """
    _take_no_arguments(name)
    with clear_errors(name):
        _run(name, uses, body)


def run_training_stage(name: str, uses: Sequence[str], body: Body) -> None:
    """As `run_stage`, in all processes that torchrun started, of which the first is tracked.

    Not started by torchrun, the stage starts ``ATVGNET_PROCESSES`` of them itself, if that is more than one.
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
            _run(name, uses, body, tracked=is_first())


def _take_no_arguments(name: str) -> None:
    """Where the stage is the program: answer ``--help``, and refuse anything else."""
    program = Path(sys.argv[0])
    if (program.parent.name, program.name) == ("stages", f"{name}.py"):
        about = f"{sys.modules['__main__'].__doc__}\nIts params are those of params.yaml; `dvc repro` runs it."
        ArgumentParser(
            f"python -m stages.{name}", description=about, formatter_class=RawDescriptionHelpFormatter
        ).parse_args()


def _run(name: str, uses: Sequence[str], body: Body, tracked: bool = True) -> None:
    check_experiment()
    params = load_params(paths.PARAMS)
    if "corpora" in uses:
        check_corpora(params)
    jobs = machine.jobs()
    tracking_it = tracking.stage(name, params, uses=uses) if tracked else nullcontext(tracking.Run(None))
    with tracking_it as run:
        body(Context(params, run, paths.project_root(), jobs))
