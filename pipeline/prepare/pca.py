"""The explained variance of the landmark PCA as a table to plot."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.landmarks.pca import LandmarkModel
from pipeline.runtime.paths import StrPath


def write_explained(model: LandmarkModel, folder: StrPath, rows: int = 20) -> None:
    """Write ``folder/explained.csv``: for the first components their share of the variance and the sum so far."""
    folder = Path(folder)
    share = model.explained[:rows]
    table = pd.DataFrame({"component": np.arange(1, len(share) + 1), "share": share, "cumulative": share.cumsum()})
    table.to_csv(folder / "explained.csv", index=False, float_format="%.6f", lineterminator="\n")
