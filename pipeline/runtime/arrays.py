"""Numbers in arrays: rounding that is the same on every processor, and loops compiled to machine code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


def to_grid(values: NDArray[np.float64] | float, step: float) -> NDArray[np.float64]:
    """The multiples of ``step``, a power of two, nearest to ``values``; never a negative zero.

    Other processors sum in another order and use other instructions, so float64 results differ by about 1e-14. Rounded
    to a grid 1e8 times as coarse, they differ only in the one case in 1e8 that lies between two steps.
    """
    return np.asarray(np.rint(np.asarray(values) / step) * step + 0.0)


def to_machine_code(function: Function) -> Function:
    """Compile ``function`` at its first call, and cache the result on disk if that is writable.

    Division by zero behaves as in NumPy, because checking every divisor would prevent vectorisation.
    """
    import numba

    try:
        return cast(Function, numba.njit(function, cache=True, error_model="numpy"))
    except RuntimeError:  # no place for the cache
        return cast(Function, numba.njit(function, error_model="numpy"))
