"""Where bundles lie and are written, checked before anything slow is loaded."""

from importlib.util import find_spec
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
    if models is not None and models.startswith("models:/"):
        need_mlflow(models)
    elif models is not None:
        check_there(models)


def need_mlflow(uri: str) -> None:
    """PipelineError where MLflow, which knows the models at ``uri``, is not installed."""
    if find_spec("mlflow") is None:
        raise PipelineError(
            f"{uri} needs MLflow. Install it with `pip install mlflow`, or give the folder of a bundle."
        )


def check_no_bundle(out: Path) -> None:
    """PipelineError where the folder ``out`` has a bundle already, or cannot be written."""
    if (out / CARD).exists():
        raise PipelineError(f"{out} has a bundle. Give another folder with --out, or remove it.")
    check_writable(out / CARD)
