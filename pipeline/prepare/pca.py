"""Stage pca: the landmark model, and a table of its explained variance."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.params import Pca
from pipeline.landmarks.pca import FILE, LandmarkModel, fit_model
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.shards.clip_store import ClipStore


def landmark_model(store: ClipStore, params: Pca, bundle: StrPath | None) -> LandmarkModel:
    """The landmark model of ``bundle``, or, for None, one fitted on the training split.

    Raises PipelineError if the bundle has none, or one with another number of components than ``params``.
    """
    if bundle is None:
        return fit_model((store.points(clip) for clip in store.ids("train")), params.components)
    folder = Path(bundle, "landmarks")
    if not (folder / FILE).exists():
        advice = "Give the folder of a bundle that was trained here."
        raise PipelineError(f"pca.init: {folder / FILE} is not there", advice=advice)
    model = LandmarkModel.load(folder)
    if model.components != params.components:
        fault = f"pca.init: {folder} has {model.components} components, and pca.components is {params.components}"
        raise PipelineError(fault, advice=f"Set pca.components to {model.components}, or take another bundle.")
    return model


def write_explained(model: LandmarkModel, folder: StrPath, rows: int = 20) -> None:
    """Write ``folder/explained.csv``: the share of variance of the first components, and its cumulative sum."""
    share = model.explained[:rows]
    table = pd.DataFrame({"component": np.arange(1, len(share) + 1), "share": share, "cumulative": share.cumsum()})
    table.to_csv(Path(folder, "explained.csv"), index=False, float_format="%.6f", lineterminator="\n")
