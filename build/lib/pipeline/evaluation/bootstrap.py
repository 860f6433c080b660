"""How sure a mean over clips is."""

import numpy as np
from numpy.typing import ArrayLike


def interval(values: ArrayLike, seed: int = 0, rounds: int = 2000) -> tuple[float, float]:
    """The 95% interval of the mean of ``values``, one per clip, by the percentile bootstrap (Efron 1979), seeded.

    Values that are not a number (a clip without a value) are left out; with none left the interval is not a number.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(len(known), size=(rounds, len(known)))
    low, high = np.percentile(known[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
