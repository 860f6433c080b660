"""`atvgnet import-upstream`: converts published checkpoints to model files of this project."""

import shlex
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.bundles.bundle import PUBLISHED, write_card
from pipeline.bundles.network_files import save_model
from pipeline.preprocessing.published.checkpoint import read_network
from pipeline.preprocessing.published.layouts import ATNET, ATNET_SINGLE, VGNET
from pipeline.preprocessing.published.recipe import RECORD, PublishedPreprocessing
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import lies_in, real_path, refuse_input
from pipeline.runtime.paths import StrPath

CARD = {
    "name": "atvgnet-published",
    "trained_on": {"corpus": "lrw"},
    "metrics": {},
    "licence": "MIT, as the repository of the paper's authors; LRW itself is licensed for research alone.",
    "attribution": "Chen, Maddox, Duan, Xu: Hierarchical Cross-Modal Talking Face Generation with Dynamic Pixel-Wise "
    "Loss, CVPR 2019. Lip Reading in the Wild: BBC and the University of Oxford.",
}
SHAPES = {
    "mean_shape_img": (68, 2),
    "mean_shape_norm": (1, 136),
    "S": (100, 136),
    "base_68": (68, 2),
    "mean_lrw1": (136,),
    "U_lrw1": (136, 136),
}
"""The arrays in the folder `basics` of the original's repository: two mean faces, the expressions, the template
of the region, and the PCA of LRW (two arrays)."""


def import_published(atnet: StrPath | None, vgnet: StrPath | None, basics: StrPath | None, to: StrPath) -> list[str]:
    """Write published checkpoints to `to`/atnet and `to`/vgnet, and their preprocessing beside them.

    Everything is read and checked before the first file is written. A record of the preprocessing that is already in
    `to` stays, also an edited one; without a record `basics` is required. Returns lines for the user. Raises
    PipelineError if a file is not what it should be, or `to` holds models that were trained here.
    """
    basics, to = None if basics is None else Path(basics), Path(to)
    sources = {name: Path(path) for name, path in (("atnet", atnet), ("vgnet", vgnet)) if path is not None}
    _check_target(to, sources, basics)
    record, preprocessing = to / RECORD, None
    if record.exists():
        PublishedPreprocessing.load(to)
    elif basics is None:
        raise PipelineError("Give the folder basics of the original's repository with --basics.")
    else:
        preprocessing = PublishedPreprocessing.from_basics(read_basics(basics))
    layouts = {"atnet": (ATNET, ATNET_SINGLE), "vgnet": (VGNET,)}
    networks = {name: read_network(path, layouts[name], f"--{name}") for name, path in sources.items()}
    lines = []
    try:
        if preprocessing is None:
            lines.append(f"{record} stays as it is; remove it and give --basics for the original's numbers")
        else:
            preprocessing.save(to)
        for name, (network, layout) in networks.items():
            path = sources[name]
            with path.open("rb") as file:
                meta = {"landmarks": PUBLISHED, "file": path.name, "sha256": file_digest(file, "sha256").hexdigest()}
            save_model(to / name, "model", network, meta)
            count = sum(parameter.numel() for parameter in network.parameters())
            lines.append(f"{to / name}: {layout.title}, {count:,} parameters, from {path}")
        write_card(to, CARD)
    except OSError as error:
        raise PipelineError(
            f"{to} cannot be written ({error}). Make room, or give another folder with --to."
        ) from error
    for name in layouts:
        if not (to / name / "model.json").exists():
            return [*lines, f"Still missing: run this again with --{name} FILE"]
    folder = shlex.quote(str(to))
    lines.append("Now run, with a picture and speech of yours:")
    lines.append(f"atvgnet generate --models {folder} -p face.jpg -i speech.wav -o out.mp4")
    if paths.PARAMS.exists():
        lines.append(f"or, once the stages have prepared your clips: atvgnet evaluate --models {folder}")
    return lines


def _check_target(to: Path, sources: Mapping[str, Path], basics: Path | None) -> None:
    """Raise PipelineError if there is nothing to import, or `to` would overwrite an input or models trained here."""
    for output in (to / name / f"model.{end}" for name in sources for end in ("safetensors", "json")):
        refuse_input(output, *sources.values())
    if basics is not None and lies_in(basics, to):
        refuse_input(to, basics)
    if not sources:
        raise PipelineError("There is nothing to import. Give --atnet FILE, --vgnet FILE or both.")
    own = paths.LANDMARKS_MODEL, paths.ATNET, paths.VGNET, paths.REPORTS
    if (
        (to / paths.LANDMARKS_MODEL.name).exists()
        or real_path(to) == real_path(paths.MODELS)
        or any(lies_in(part, folder) for part in (to, to / "atnet", to / "vgnet") for folder in own)
    ):
        raise PipelineError(f"{to} is for models that are trained here. Give another folder with --to.")


def read_basics(folder: StrPath) -> dict[str, NDArray[np.float64]]:
    """Read the `SHAPES` by name, without unpickling. Raises PipelineError for the first missing or different array."""
    arrays = {}
    for name, shape in SHAPES.items():
        path = Path(folder, f"{name}.npy")
        if not path.is_file():
            advice = "Give the folder basics of the original's repository with --basics."
            raise PipelineError("is missing", subject=path, advice=advice)
        try:
            array = np.load(path, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise PipelineError(f"{path} is not a NumPy array ({error}). Get it again from the original.") from error
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind not in "fiu":
            content = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "an archive"
            raise PipelineError(f"{path} is {content} where numbers {shape} belong. Get it again from the original.")
        arrays[name] = array.astype(np.float64)
    return arrays
