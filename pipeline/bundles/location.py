"""Where bundles are. These checks run before torch is imported, so a wrong name is reported at once."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pipeline
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_writable
from pipeline.runtime.paths import StrPath

CARD = "bundle.json"
_REGISTERED = "models:/"


def find_bundle(name: StrPath | None, *, param: str | None = None, fetch: Callable[[str], Path] | None = None) -> Path:
    """Return the folder of a bundle; PipelineError if it is missing.

    The name is a folder, `models:/NAME@ALIAS` of MLflow (if ``fetch`` is given, which downloads it), or None for the
    bundle that ships with the project. Folders of a key of params.yaml, ``param``, are relative to the project.
    """
    if name is None:
        return pretrained_folder()
    if fetch is not None and str(name).startswith(_REGISTERED):
        check_source(str(name))
        return fetch(str(name))
    if param is None:
        check_folder(name)
        return Path(name)
    folder = paths.project_root() / Path(name).expanduser()
    if not folder.is_dir():
        raise PipelineError(f"{param}: {folder} is not a folder. Give that of a bundle, or leave {param} empty.")
    return folder


def pretrained_folder() -> Path:
    """Return the folder of the bundle that ships with the project, or raise PipelineError if it is missing."""
    folder = Path(pipeline.__file__).parent / paths.PRETRAINED.name  # in a checkout a link to models/pretrained
    if not (folder / CARD).exists():
        raise PipelineError(
            f"{folder}, the models that ship with the project, are missing. Restore them with `git checkout "
            f"{paths.PRETRAINED} {folder.parent.name}/{folder.name}`, or name others with --models."
        )
    return folder.resolve()


def check_source(models: str | None) -> None:
    """Raise PipelineError if `--models` names a folder that is missing, or a registered model without MLflow."""
    if models is None:
        return
    if not models.startswith(_REGISTERED):
        check_folder(models)
    elif find_spec("mlflow") is None:
        raise PipelineError(
            f"{models} needs MLflow. Install it with `pip install mlflow`, or give the folder of a bundle."
        )


def check_folder(folder: StrPath) -> None:
    """Raise PipelineError if the folder of a bundle is missing."""
    if not Path(folder).is_dir():
        raise PipelineError(f"{folder} is missing. Train the models with `dvc repro`, or give the folder of a bundle.")


def check_no_bundle(out: Path) -> None:
    """Raise PipelineError if the folder ``out`` already has a bundle, or cannot be written."""
    if (out / CARD).exists():
        raise PipelineError(f"{out} has a bundle. Give another folder with --out, or remove it.")
    check_writable(out / CARD)
