"""What a bundle's card says: where the models come from, how good they are, and what may be done with them."""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.config.params import FaceRule
from pipeline.corpora.registry import find_corpus
from pipeline.runtime import paths


def describe(corpus: str, face: FaceRule, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The card of the models in the project, which ``corpus`` trained: JSON data, the same for the same training.

    ``face`` is `landmarks.face`, by which `generate` chooses as the training did.

    The params and the hashes of the data are those that the networks' files have, so they are those that trained them.
    """
    entry = find_corpus(corpus)
    trained = {
        folder.name: json.loads((folder / "model.json").read_text(encoding="utf-8"))["meta"]
        for folder in (paths.ATNET, paths.VGNET)
    }
    return {
        "name": f"atvgnet-{corpus}",
        "trained_on": {
            "corpus": corpus,
            "seed": trained["vgnet"]["seed"],
            "data": {name: meta["data"] for name, meta in trained.items()},
            "params": {name: meta["params"] for name, meta in trained.items()},
        },
        "face": face,
        "metrics": metrics,
        "licence": entry.licence,
        "attribution": entry.attribution,
    }
