"""A model bundle: one folder with everything that generation needs.

`atnet/` and `vgnet/` are the networks (`network_files.py`), `landmarks/` is the landmark model of both, `bundle.json`
the card, and `provenance.json` the commit of the code that trained it. `dvc repro` makes `models/` a bundle. A bundle
of the authors' published networks has `preprocessing.json` and `preprocessing.npz` instead of `landmarks/`.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from torch import nn

from pipeline.bundles.location import CARD, check_folder
from pipeline.bundles.networks import load_model
from pipeline.faces.crop import CropGeometry
from pipeline.landmarks.pca import LandmarkModel
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath
from pipeline.speech.features import SpeechFeatures

log = logging.getLogger(__name__)

PROVENANCE = "provenance.json"
FORMAT = 1
PUBLISHED = "published"  # the value of `landmarks` in the files of the authors' published networks
N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class Bundle:
    """The parts of a bundle. `load_bundle` has checked that they fit each other."""

    folder: Path
    atnet: AtNet
    vgnet: VgNet
    trained: "TrainedParts | None"  # None in a bundle of published networks
    card: Mapping[str, Any]  # `bundle.json` and the `commit`; empty until an evaluation has written the card

    @property
    def trained_here(self) -> "TrainedParts":
        """The parts that only a bundle of this project has. Raises PipelineError for published networks."""
        if self.trained is None:
            raise PipelineError(
                f"{self.folder} has networks that are published by others. Give a bundle that was trained here."
            )
        return self.trained


class TrainedParts(NamedTuple):
    """Landmark model, speech features and crop geometry of a bundle that this project trained."""

    landmarks: LandmarkModel
    speech: SpeechFeatures
    crop: CropGeometry


def load_bundle(folder: StrPath) -> Bundle:
    """Read a bundle. Both networks are in eval mode on the CPU.

    Raises PipelineError if a part is missing or damaged, or two parts do not fit each other.
    """
    folder = Path(folder)
    check_folder(folder)
    atnet, atnet_meta = _load(folder / "atnet", AtNet)
    vgnet, vgnet_meta = _load(folder / "vgnet", VgNet)
    card = _read_card(folder)
    published = [meta.get("landmarks") == PUBLISHED for meta in (atnet_meta, vgnet_meta)]
    if all(published):
        return Bundle(folder, atnet, vgnet, None, card)
    if any(published):
        ours, theirs = ("vgnet", "atnet") if published[0] else ("atnet", "vgnet")
        raise PipelineError(
            f"{folder / ours} and {folder / theirs} do not belong together: the first was trained by this project, the "
            "second is published by the paper's authors. Give a folder in which both have one origin."
        )
    landmarks = LandmarkModel.load(folder / "landmarks")
    for name, meta in (("atnet", atnet_meta), ("vgnet", vgnet_meta)):
        if meta.get("landmarks") != landmarks.digest:
            raise PipelineError(
                f"{folder / name} and {folder / 'landmarks'} do not belong together: the network was trained with "
                "another landmark model. Take both from one training, or train again with `dvc repro`."
            )
    if atnet.arguments["components"] != landmarks.components:
        raise PipelineError(
            f"{folder / 'atnet'} and {folder / 'landmarks'} do not belong together: {atnet.arguments['components']} "
            f"and {landmarks.components} components."
        )
    try:
        crop = CropGeometry(vgnet_meta["crop"]["size"], tuple(map(tuple, vgnet_meta["crop"]["points"])))
        speech = SpeechFeatures.read(atnet_meta["speech"])
    except (KeyError, TypeError, ValueError) as error:
        raise PipelineError(
            f"{folder} was written by another version of this project ({error!r}). Train again with `dvc repro`."
        ) from error
    if vgnet.size != crop.size:
        raise PipelineError(
            f"{folder / 'vgnet'} does not fit its crops: the network takes pictures of {vgnet.size} pixels a side, and "
            f"was trained on crops of {crop.size}. Take the folder whole from one training, or train again."
        )
    return Bundle(folder, atnet, vgnet, TrainedParts(landmarks, speech, crop), card)


def _load(folder: Path, kind: type[N]) -> tuple[N, dict[str, Any]]:
    network, meta = load_model(folder, "model")
    if not isinstance(network, kind):
        raise PipelineError(f"{folder} holds {type(network).__name__} where {kind.__name__} belongs.")
    return network, meta


def write_card(folder: StrPath, card: Mapping[str, Any]) -> None:
    """Write `bundle.json` for the parts in `folder`, without the `commit` that `load_bundle` adds to a card.

    Equal parts and an equal `card` (JSON data) give equal bytes.
    """
    folder = Path(folder)
    content = {**card, "format": FORMAT, "parts": _parts(folder)}
    content.pop("commit", None)
    with replacing(folder / CARD) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_provenance(folder: StrPath, commit: str) -> None:
    """Write `provenance.json`: the commit of the code that trained the bundle.

    It is no out of a stage, because its bytes change with every commit.
    """
    content = json.dumps({"card": _hash(Path(folder, CARD)), "commit": commit}, indent=2)
    Path(folder, PROVENANCE).write_text(content + "\n", encoding="utf-8")


def _read_card(folder: Path) -> dict[str, Any]:
    """The card and the `commit` of its provenance, None if that belongs to another card; empty without a card."""
    path = folder / CARD
    if not path.exists():
        return {}
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        written, parts = card["format"], card["parts"]
    except (ValueError, KeyError, TypeError) as error:
        raise PipelineError(f"{path} is not the card of a bundle ({error!r}). Write it with `dvc repro`.") from error
    if written != FORMAT:
        raise PipelineError(f"{path} has format {written}, and this version reads {FORMAT}. Update the project.")
    if parts != _parts(folder):
        log.warning("%s describes other weights than those beside it. `dvc repro` writes it again.", path)
        return {}
    try:
        provenance = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        commit = str(provenance["commit"]) if provenance["card"] == _hash(path) else None
    except (OSError, ValueError, KeyError, TypeError):
        commit = None
    return {**card, "commit": commit}


def _parts(folder: Path) -> dict[str, str]:
    """The SHA-256 of each part's content."""
    files = {
        "atnet": folder / "atnet" / "model.safetensors",
        "vgnet": folder / "vgnet" / "model.safetensors",
        "landmarks": folder / "landmarks" / "landmarks.npz",
        "preprocessing": folder / "preprocessing.npz",
    }
    return {name: _hash(path) for name, path in files.items() if path.exists()}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
