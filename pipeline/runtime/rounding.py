"""Rounding that makes computed numbers the same on every processor.

Libraries sum in another order and call other instructions on another processor, so float64 results differ in their last
bits: by about 1e-14. Rounded to a grid some 1e8 times as coarse, which is still far finer than anything the numbers are
used for, they are equal but for one in 1e8 that lies on the border between two steps.
"""

import numpy as np
from numpy.typing import NDArray


def to_grid(values: NDArray[np.float64] | float, step: float) -> NDArray[np.float64]:
    """The multiples of ``step``, a power of two, nearest to ``values``; never a negative zero."""
    return np.asarray(np.rint(np.asarray(values) / step) * step + 0.0)
