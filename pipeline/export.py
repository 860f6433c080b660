"""The commands that write the prepared clips, or a bundle, for use elsewhere."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from pipeline.models.place import check_named
from pipeline.runtime import paths
from pipeline.runtime.command import command
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new

export = typer.Typer(no_args_is_help=True, help="Write the prepared clips, or a bundle of models, for use elsewhere.")
Models = Annotated[
    str | None,
    typer.Option(
        help="The bundle to export: a folder, such as models after `dvc repro`, or models:/NAME@ALIAS of MLflow. "
        "Default: the models that ship with the project."
    ),
]
To = Annotated[Path, typer.Option(help="The folder to write; it must not exist.")]


@export.command("webdataset")
def export_webdataset(
    to: Annotated[
        Path, typer.Option(help="The folder to write the tars to: a new one, or one of an export that was interrupted.")
    ],
    split: Annotated[str, typer.Option(help="The clips to write: train, val, test or all.")] = "all",
    clips: Annotated[int, typer.Option(min=1, help="Clips per tar.")] = 256,
) -> None:
    """Write the good clips of data/ as WebDataset tars: crops, points, speech, MFCC and metadata."""
    with command():
        from pipeline.corpora.base import SPLITS
        from pipeline.prepare.export import export_webdataset
        from pipeline.shards.clip_store import ClipStore

        if split not in (*SPLITS, "all"):
            raise PipelineError(f"{split!r} is not a split. Choose one of {', '.join(SPLITS)}, all.")
        counts = export_webdataset(ClipStore(paths.DATA), to, SPLITS if split == "all" else [split], clips)
        each = ", ".join(f"{name} {count}" for name, count in counts.items())
        print(f"{to}: {sum(counts.values())} clips ({each})")


@export.command("bundle")
def export_bundle(
    to: To,
    models: Models = None,
    seen: Annotated[
        str, typer.Option(help="A sentence for the card: training data and limits of the models. `generate` prints it.")
    ] = "",
) -> None:
    """Write a small copy of a bundle: weights in half precision, without what only training needs."""
    with command():
        check_named(models)
        check_new(to)
        from pipeline.inference.loading import bundle_folder  # which loads torch
        from pipeline.models.pretrained import ship

        source = bundle_folder(models)
        ship(source, to, {"seen": seen} if seen else {})
        size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
        print(f"{to}: {decimal(size)}, from {source}")


@export.command("onnx")
def export_as_onnx(to: To, models: Models = None) -> None:
    """Write the networks as ONNX files, with a description of their inputs (docs/serving.md)."""
    with command():
        check_named(models)
        check_new(to)
        from pipeline.inference.loading import bundle_folder
        from pipeline.models.onnx.export import export_onnx

        export_onnx(bundle_folder(models), to)
        for path in sorted(to.iterdir()):
            print(f"{path}: {decimal(path.stat().st_size)}")


@export.command("mlflow")
def export_for_mlflow(to: To, models: Models = None) -> None:
    """Write a bundle as an MLflow model, which `mlflow models serve` serves (docs/serving.md)."""
    with command():
        check_named(models)
        check_new(to)
        from pipeline.inference.loading import bundle_folder
        from pipeline.tracking.models import save_bundle

        save_bundle(bundle_folder(models), to)
        print(f"Now run: mlflow models serve -m {shlex.quote(str(to))} --env-manager local --port 5001")
