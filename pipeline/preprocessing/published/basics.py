"""The arrays in the folder `basics` of the original's repository."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

SHAPES = {
    "mean_shape_img": (68, 2),
    "mean_shape_norm": (1, 136),
    "S": (100, 136),
    "base_68": (68, 2),
    "mean_lrw1": (136,),
    "U_lrw1": (136, 136),
}
"""The required arrays: two mean faces, the expressions, the region's template, and the PCA of LRW (two arrays)."""


def read_basics(folder: StrPath) -> dict[str, NDArray[np.float64]]:
    """Read the arrays by name, without unpickling. Raises PipelineError for the first missing or different array."""
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
