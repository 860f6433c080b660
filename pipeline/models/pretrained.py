"""The bundle that ships with the project, and how a bundle is made small enough to ship."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

import pipeline
from pipeline.models.bundle import load_bundle, write_card, write_provenance
from pipeline.models.files import save_model
from pipeline.models.registry import load_model
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new
from pipeline.runtime.paths import StrPath


def pretrained_folder() -> Path:
    """Where it lies: within the package, which in a checkout is a link to models/pretrained.

    Raises PipelineError where it is not there.
    """
    folder = Path(pipeline.__file__).parent / paths.PRETRAINED.name
    if not (folder / "bundle.json").exists():
        raise PipelineError(
            f"{folder}, the models that ship with the project, are missing. Restore them with `git checkout "
            f"{paths.PRETRAINED} {folder.parent.name}/{folder.name}`, or name others with --models."
        )
    return folder.resolve()


def ship(source: StrPath, to: StrPath, extra: Mapping[str, Any]) -> None:
    """Write the bundle `source` into the folder `to`, which is new, in half precision and without the discriminator.

    Weights are read back as float32; half precision moves a frame's levels by less than one on average. `extra` is
    added to the card. Raises PipelineError when `source` is not a whole bundle of this project or has no card, or `to`
    is there already.
    """
    source, to = Path(source), Path(to)
    bundle = load_bundle(source)
    if bundle.landmarks is None or not bundle.card:
        raise PipelineError(f"{source} has no card of this project's. Evaluate it first: `dvc repro` writes the card.")
    check_new(to)
    card = {key: value for key, value in bundle.card.items() if key not in ("format", "parts", "commit")}
    for part in ("atnet", "vgnet"):
        network, meta = load_model(source / part, "model")
        save_model(to / part, "model", _halved(network), meta)
    shutil.copytree(source / "landmarks", to / "landmarks", ignore=shutil.ignore_patterns("*.csv"))
    write_card(to, {**card, **extra})
    if bundle.card.get("commit"):
        write_provenance(to, bundle.card["commit"])


def _halved(network: nn.Module) -> nn.Module:
    return network.half()  # which leaves counters whole numbers
