"""`atvgnet import-upstream`: published checkpoints to model files of this project."""

import hashlib
import shlex
from pathlib import Path

from torch import nn

from pipeline.inference.published.basics import read_basics
from pipeline.inference.published.checkpoint import read_network
from pipeline.inference.published.keys import ATNET, ATNET_SINGLE, VGNET, Layout
from pipeline.inference.published.preprocessing import RECORD, PublishedPreprocessing
from pipeline.models.bundle import PUBLISHED, write_card
from pipeline.models.files import save_model
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import lies_in, refuse_input
from pipeline.runtime.paths import StrPath

CARD = {
    "name": "atvgnet-published",
    "trained_on": {"corpus": "lrw"},
    "metrics": {},
    "licence": "MIT, as the repository of the paper's authors; LRW itself is licensed for research alone.",
    "attribution": "Chen, Maddox, Duan, Xu: Hierarchical Cross-Modal Talking Face Generation with Dynamic Pixel-Wise "
    "Loss, CVPR 2019. Lip Reading in the Wild: BBC and the University of Oxford.",
}


def import_published(atnet: StrPath | None, vgnet: StrPath | None, basics: StrPath | None, to: StrPath) -> list[str]:
    """Write `to`/atnet and `to`/vgnet, of what is given, and beside them how the original prepares what they see.

    A record of that which lies there already, edited or not, stays; without one `basics` is needed.
    All is read and checked before anything is written. Returns what to tell the user. Raises PipelineError when a file
    is not what it should be, or `to` holds models that were trained here, or what is imported.
    """
    basics, to = None if basics is None else Path(basics), Path(to)
    given = {name: Path(path) for name, path in (("atnet", atnet), ("vgnet", vgnet)) if path is not None}
    for output in (to / name / f"model.{end}" for name in given for end in ("safetensors", "json")):
        refuse_input(output, *given.values())
    if basics is not None and lies_in(basics, to):
        refuse_input(to, basics)
    if not given:
        raise PipelineError("There is nothing to import. Give --atnet FILE, --vgnet FILE or both.")
    ours = paths.LANDMARKS_MODEL, paths.ATNET, paths.VGNET, paths.REPORTS
    parts = to, to / "atnet", to / "vgnet"
    if (
        (to / paths.LANDMARKS_MODEL.name).exists()
        or to.resolve() == paths.MODELS.resolve()
        or any(lies_in(part, one) for part in parts for one in ours)
    ):
        raise PipelineError(f"{to} is for models that are trained here. Give another folder with --to.")
    record = to / RECORD
    recorded = record.exists()
    if recorded:
        PublishedPreprocessing.load(to)
    elif basics is None:
        raise PipelineError("Give the folder basics of the original's repository with --basics.")
    else:
        preprocessing = PublishedPreprocessing.from_basics(read_basics(basics))
    found: dict[str, tuple[Path, nn.Module, Layout]] = {}
    layouts = {"atnet": (ATNET, ATNET_SINGLE), "vgnet": (VGNET,)}
    for name, path in given.items():
        found[name] = (path, *read_network(path, layouts[name], f"--{name}"))
    lines = [f"{record} stays as it is; remove it and give --basics for the original's numbers"] if recorded else []
    try:
        if not recorded:
            preprocessing.save(to)
        for name, (path, network, layout) in found.items():
            save_model(
                to / name, "model", network, {"landmarks": PUBLISHED, "file": path.name, "sha256": _sha256(path)}
            )
            count = sum(parameter.numel() for parameter in network.parameters())
            lines.append(f"{to / name}: {layout.title}, {count:,} parameters, from {path}")
        write_card(to, CARD)
    except OSError as error:
        raise PipelineError(
            f"{to} cannot be written ({error}). Make room, or give another folder with --to."
        ) from error
    missing = [name for name in ("atnet", "vgnet") if not (to / name / "model.json").exists()]
    if missing:
        return [*lines, f"Still missing: run this again with --{missing[0]} FILE"]
    folder = shlex.quote(str(to))
    lines.append("Now run, with a picture and speech of yours:")
    lines.append(f"atvgnet generate --models {folder} -p face.jpg -i speech.wav -o out.mp4")
    if paths.PARAMS.exists():
        lines.append(f"or, once the stages have prepared your clips: atvgnet evaluate --models {folder}")
    return lines


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
