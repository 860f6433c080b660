"""Where bundles lie and are written, checked before anything slow is loaded."""

from pathlib import Path

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_writable
from pipeline.runtime.paths import StrPath

CARD = "bundle.json"


def check_there(folder: StrPath) -> None:
    """PipelineError where there is no folder of a bundle."""
    if not Path(folder).is_dir():
        raise PipelineError(f"{folder} is missing. Train the models with `dvc repro`, or give the folder of a bundle.")


def check_named(models: str | None) -> None:
    """As `check_there`, of what --models says: nothing, a folder, or models:/NAME@ALIAS, which MLflow knows."""
    if models is not None and not models.startswith("models:/"):
        check_there(models)


def check_no_bundle(out: Path) -> None:
    """PipelineError where the folder ``out`` has a bundle already, or cannot be written."""
    if (out / CARD).exists():
        raise PipelineError(f"{out} has a bundle. Give another folder with --out, or remove it.")
    check_writable(out / CARD)
