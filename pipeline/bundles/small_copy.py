"""Small copies of bundles: half precision, and only what generation needs."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.bundles.bundle import load_bundle, write_card, write_provenance
from pipeline.bundles.network_files import save_model
from pipeline.bundles.networks import load_model
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_new
from pipeline.runtime.paths import StrPath


def write_small_copy(source: StrPath, to: StrPath, extra: Mapping[str, Any]) -> None:
    """Write the bundle `source`, in half precision and without the discriminator, into the new folder `to`.

    Weights are read back as float32. Half precision changes the pixels of a frame by less than one level on average.
    `extra` is added to the card. Raises PipelineError if `source` is not a complete bundle of this project with a card,
    or if `to` exists.
    """
    source, to = Path(source), Path(to)
    bundle = load_bundle(source)
    if bundle.trained is None or not bundle.card:
        raise PipelineError(f"{source} has no card of this project's. Evaluate it first: `dvc repro` writes the card.")
    check_new(to)
    for part in ("atnet", "vgnet"):
        network, meta = load_model(source / part, "model")
        save_model(to / part, "model", network.half(), meta)  # half() leaves integer counters as they are
    shutil.copytree(source / "landmarks", to / "landmarks", ignore=shutil.ignore_patterns("*.csv"))
    write_card(to, {**bundle.card, **extra})
    if bundle.card.get("commit"):
        write_provenance(to, bundle.card["commit"])
