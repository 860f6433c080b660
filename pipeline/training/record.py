"""The record of a finished training: its curves and results, checked against the project's params and data."""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import NamedTuple

from pipeline.config.params import Params
from pipeline.runtime.errors import PipelineError
from pipeline.training.sources import FOLDERS, Network, digest


class Record(NamedTuple):
    """A training's history.csv, and its summary as `train` returned it."""

    curves: Mapping[int, Mapping[str, float]]
    summary: Mapping[str, float]


def read_record(network: Network, params: Params) -> Record:
    """The record of the training that made models/NETWORK; PipelineError if its params, seed or data were others."""
    folder = FOLDERS[network]
    meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))["meta"]
    trained = {f"{network}.{name}": value for name, value in meta["params"].items()} | {"seed": meta["seed"]}
    wanted = {f"{network}.{name}": value for name, value in asdict(getattr(params, network)).items()}
    differences = [
        f"{name} was {trained.get(name)} and is {value}"
        for name, value in (wanted | {"seed": params.seed}).items()
        if trained.get(name) != value
    ]
    if meta["data"] != digest(network, params):
        differences.append("the clips or their landmarks were others")
    if differences:
        raise PipelineError(
            f"{folder} was not trained with what the project has now: {'; '.join(differences)}. Put that back, or "
            f"train again with `dvc repro -f train_{network}`."
        )
    summary = {name: value for name, value in meta["metrics"].items() if name.startswith("val.")}
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    curves = {int(row.pop("step")): {name: float(value) for name, value in row.items() if value} for row in rows}
    return Record(curves, {**summary, "step": meta["step"]})
