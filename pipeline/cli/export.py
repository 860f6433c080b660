"""The commands `atvgnet export`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from typer import Option

from pipeline.bundles.location import check_source
from pipeline.cli.options import ModelsOption
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new

export = typer.Typer(no_args_is_help=True, help="Write the prepared clips, or a bundle of models, for use elsewhere.")
To = Annotated[Path, Option(help="Folder to write; it must not exist.")]


def _bundle(models: str | None, to: Path) -> Path:
    """Check both places, which is fast, and then load torch and return the bundle's folder."""
    check_source(models)
    check_new(to)
    from pipeline.preprocessing.loading import bundle_folder

    return bundle_folder(models)


@export.command("webdataset")
def export_webdataset(
    to: Annotated[Path, Option(help="Folder to write the tars to: a new one, or that of an interrupted export.")],
    split: Annotated[str, Option(help="Clips to write: train, val, test or all.")] = "all",
    clips: Annotated[int, Option(min=1, help="Clips per tar.")] = 256,
) -> None:
    """Write the good clips of data/ as WebDataset tars: crops, points, speech, MFCC and metadata."""
    from pipeline.corpora.base import SPLITS
    from pipeline.prepare.webdataset import export_webdataset
    from pipeline.shards.clip_store import ClipStore

    if split not in (*SPLITS, "all"):
        raise PipelineError(f"{split!r} is not a split. Choose one of {', '.join(SPLITS)}, all.")
    counts = export_webdataset(ClipStore(paths.DATA), to, SPLITS if split == "all" else [split], clips)
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{to}: {sum(counts.values())} clips ({each})")


@export.command("bundle")
def export_bundle(
    to: To,
    models: ModelsOption = None,
    seen: Annotated[
        str, Option(help="Sentence for the card: training data and limits of the models. `generate` prints it.")
    ] = "",
) -> None:
    """Write a small copy of a bundle: weights in half precision, without what only training needs."""
    source = _bundle(models, to)
    from pipeline.bundles.small_copy import write_small_copy

    write_small_copy(source, to, {"seen": seen} if seen else {})
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    print(f"{to}: {decimal(size)}, from {source}")


@export.command("onnx")
def export_as_onnx(to: To, models: ModelsOption = None) -> None:
    """Write the networks as ONNX files, with a description of their inputs (docs/serving.md)."""
    source = _bundle(models, to)
    from pipeline.bundles.onnx import export_onnx

    export_onnx(source, to)
    for path in sorted(to.iterdir()):
        print(f"{path}: {decimal(path.stat().st_size)}")


@export.command("mlflow")
def export_for_mlflow(to: To, models: ModelsOption = None) -> None:
    """Write a bundle as an MLflow model, which `mlflow models serve` serves (docs/serving.md)."""
    source = _bundle(models, to)
    from pipeline.tracking.models import save_bundle

    save_bundle(source, to)
    print(f"Now run: mlflow models serve -m {shlex.quote(str(to))} --env-manager local --port 5001")
