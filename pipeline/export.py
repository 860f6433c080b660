"""The commands that give the prepared clips, or a bundle, to others."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from pipeline.models.place import check_named, check_there
from pipeline.runtime import paths
from pipeline.runtime.command import command
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new

export = typer.Typer(no_args_is_help=True, help="Give the prepared clips, or a bundle, to others.")
Models = Annotated[
    str | None,
    typer.Option(help="The bundle: a folder, or models:/NAME@ALIAS of MLflow; the one that ships without it."),
]
To = Annotated[Path, typer.Option(help="The folder to write.")]


@export.command("webdataset")
def export_webdataset(
    to: Annotated[Path, typer.Option(help="The folder of the tars; new, or of an export that was interrupted.")],
    split: Annotated[str, typer.Option(help="train, val, test or all")] = "all",
    clips: Annotated[int, typer.Option(min=1, help="Clips a tar.")] = 256,
) -> None:
    """Write the good clips of data/ as WebDataset tars: crops, points, speech, MFCC and what is known of each."""
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
    models: Annotated[Path, typer.Option(help="The bundle.")] = paths.MODELS,
    seen: Annotated[
        str, typer.Option(help="What they have seen, and where they will disappoint: `generate` says it.")
    ] = "",
) -> None:
    """Write a bundle as small as it can be: half precision, without what only training needs."""
    with command():
        check_there(models)
        check_new(to)
        from pipeline.models.pretrained import ship

        ship(models, to, {"seen": seen} if seen else {})
        size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
        print(f"{to}: {size / 1e6:.1f} MB")


@export.command("onnx")
def export_as_onnx(to: To, models: Models = None) -> None:
    """Write the networks as ONNX for programs in other languages, with what to feed them (docs/serving.md)."""
    with command():
        check_named(models)
        check_new(to)
        from pipeline.inference.loading import bundle_folder
        from pipeline.models.onnx.export import export_onnx

        export_onnx(bundle_folder(models), to)
        for path in sorted(to.iterdir()):
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@export.command("mlflow")
def export_for_mlflow(to: To, models: Models = None) -> None:
    """Write a bundle as what `mlflow models serve -m FOLDER` serves: files in, videos out (docs/serving.md)."""
    with command():
        check_named(models)
        check_new(to)
        from pipeline.inference.loading import bundle_folder
        from pipeline.tracking.models import save_bundle

        save_bundle(bundle_folder(models), to)
        print(f"Now run: mlflow models serve -m {shlex.quote(str(to))} --env-manager local --port 5001")
