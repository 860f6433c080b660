"""A model bundle: a folder that is enough by itself to make a picture speak.

| file | what |
|---|---|
| `atnet/`, `vgnet/` | the networks, each with what it was trained with (`pipeline.models.files`) |
| `landmarks/` | template, mean and basis of the landmarks, which both networks speak |
| `bundle.json` | the card: what it was trained on, its metrics, licence and attribution |
| `provenance.json` | the commit of the code that trained it |

`models/` is one after `dvc repro`. In a bundle of the authors' published networks `preprocessing.json` and
`preprocessing.npz` take the place of `landmarks/`.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from pipeline.faces.crop import CropGeometry
from pipeline.landmarks.pca import LandmarkModel
from pipeline.models.atnet import AtNet
from pipeline.models.place import CARD, check_there
from pipeline.models.registry import load_model
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath
from pipeline.speech.features import SpeechFeatures

log = logging.getLogger(__name__)

PROVENANCE = "provenance.json"
FORMAT = 1
PUBLISHED = "published"
"""What the networks of the paper's authors name as the landmarks that they were trained with."""

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Bundle:
    """The parts of a bundle, which belong together."""

    folder: Path
    atnet: AtNet
    vgnet: VgNet
    landmarks: LandmarkModel | None
    """None in a bundle of published networks."""
    speech: SpeechFeatures | None
    crop: CropGeometry | None
    card: Mapping[str, Any]
    """`bundle.json`, and the `commit`; empty before an evaluation wrote it."""


def load_bundle(folder: StrPath) -> Bundle:
    """Read a bundle; both networks in eval mode on the CPU.

    Raises PipelineError naming the part that is missing or damaged, or the two parts that do not belong together.
    """
    folder = Path(folder)
    check_there(folder)
    atnet, atnet_meta = _load(folder / "atnet", AtNet)
    vgnet, vgnet_meta = _load(folder / "vgnet", VgNet)
    if (atnet_meta.get("landmarks") == PUBLISHED) != (vgnet_meta.get("landmarks") == PUBLISHED):
        ours, theirs = ("atnet", "vgnet") if vgnet_meta.get("landmarks") == PUBLISHED else ("vgnet", "atnet")
        raise PipelineError(
            f"{folder / ours} and {folder / theirs} do not belong together: the first was trained by this project, the "
            "second is published by the paper's authors. Give a folder in which both have one origin."
        )
    card = _read_card(folder)
    if atnet_meta.get("landmarks") == PUBLISHED:
        return Bundle(folder, atnet, vgnet, None, None, None, card)
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
    return Bundle(folder, atnet, vgnet, landmarks, speech, crop, card)


def _load(folder: Path, kind: type[Network]) -> tuple[Network, dict[str, Any]]:
    network, meta = load_model(folder, "model")
    if not isinstance(network, kind):
        raise PipelineError(f"{folder} holds {type(network).__name__} where {kind.__name__} belongs.")
    return network, meta


def write_card(folder: StrPath, card: Mapping[str, Any]) -> None:
    """Write `bundle.json` for the parts that are in `folder`; equal parts and `card` (JSON data) give equal bytes."""
    folder = Path(folder)
    content = {"format": FORMAT, **card, "parts": _parts(folder)}
    with replacing(folder / CARD) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_provenance(folder: StrPath, commit: str) -> None:
    """Write `provenance.json`: the commit of the code that trained the bundle.

    It is a file of its own, which no stage declares: with the commit in it, the card's bytes would change with every
    commit, and a pipeline that nothing changed would not reproduce them.
    """
    folder = Path(folder)
    card = hashlib.sha256((folder / CARD).read_bytes()).hexdigest()
    content = json.dumps({"card": card, "commit": commit}, indent=2)
    (folder / PROVENANCE).write_text(content + "\n", encoding="utf-8")


def _commit(folder: Path) -> str | None:
    """What `provenance.json` says, where it is that of the card beside it."""
    try:
        provenance = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        card = hashlib.sha256((folder / CARD).read_bytes()).hexdigest()
        return str(provenance["commit"]) if provenance["card"] == card else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_card(folder: Path) -> dict[str, Any]:
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
    return {**card, "commit": _commit(folder)}


def _parts(folder: Path) -> dict[str, str]:
    """SHA-256 of each part's content."""
    files = {
        "atnet": folder / "atnet" / "model.safetensors",
        "vgnet": folder / "vgnet" / "model.safetensors",
        "landmarks": folder / "landmarks" / "landmarks.npz",
        "preprocessing": folder / "preprocessing.npz",
    }
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.exists()}
