"""What a bundle's card says: where the models come from, how good they are, and what may be done with them."""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.config.params import Params
from pipeline.corpora.registry import terms
from pipeline.corpora.union import members_of
from pipeline.runtime import paths


def describe(params: Params, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The card of the models in the project, which the chosen corpus trained: JSON data, the same for the same
    training; with the rule of `landmarks.face`, by which `generate` chooses as the training did.

    The params and the hashes of the data are those that the networks' files have, so they are those that trained them.
    """
    licence, attribution = terms(params)
    trained = {
        folder.name: json.loads((folder / "model.json").read_text(encoding="utf-8"))["meta"]
        for folder in (paths.ATNET, paths.VGNET)
    }
    return {
        "name": f"atvgnet-{params.corpus}",
        "trained_on": {
            "corpus": "+".join(members_of(params)),
            "seed": trained["vgnet"]["seed"],
            "data": {name: meta["data"] for name, meta in trained.items()},
            "params": {name: meta["params"] for name, meta in trained.items()},
        },
        "face": params.landmarks.face,
        "metrics": metrics,
        "licence": licence,
        "attribution": attribution,
    }
