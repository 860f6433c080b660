"""Loops over arrays that NumPy has no operation for, as machine code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """To machine code when it is first called, which is kept for the next process where there is a place to write to.

    Divides by zero as NumPy does; a check of every divisor would keep the processor from doing several at once.
    """
    try:
        return cast(Function, numba.njit(function, cache=True, error_model="numpy"))
    except RuntimeError:
        return cast(Function, numba.njit(function, error_model="numpy"))
