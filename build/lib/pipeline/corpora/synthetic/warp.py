"""Smooth displacement fields over the frame: interpolated from control points, added up, inverted.

A field is known on a coarse grid whose cells are ``STEP`` pixels wide: displacements are smooth, so that this loses
nothing that can be seen, and a frame costs a few milliseconds.
"""

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

WIDTH, HEIGHT = 360, 288
STEP = 2
GRID_W, GRID_H = WIDTH // STEP, HEIGHT // STEP

Number = TypeVar("Number", np.uint8, np.float32)

Box = tuple[slice, slice]
"""Rows and columns."""

Field = NDArray[np.float32]
"""(2, GRID_H, GRID_W): x and y displacement in frame pixels."""


@lru_cache(maxsize=1)
def grid_points() -> NDArray[np.float64]:
    """The centres of the grid's cells (GRID_H * GRID_W, 2) in frame pixels."""
    x, y = np.meshgrid(np.arange(GRID_W), np.arange(GRID_H))
    return (np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float64) + 0.5) * STEP - 0.5


def interpolate(points_N2: NDArray[np.float64], values_NK: NDArray[np.float64]) -> NDArray[np.float32]:
    """The thin-plate spline through ``values_NK`` at ``points_N2``, on the grid: (K, GRID_H, GRID_W).

    Rounded to a thousandth, since the solver's last bits depend on the number of threads.
    """
    values = RBFInterpolator(points_N2, values_NK, kernel="thin_plate_spline")(grid_points())
    return np.ascontiguousarray(np.round(values, 3).T.reshape(-1, GRID_H, GRID_W).astype(np.float32))


def inverse_map(field: Field, box: Box, iterations: int = 5) -> NDArray[np.float32]:
    """Where the grid's cells in ``box`` come from when every q moves to q + field(q): (rows, columns, 2), frame pixels.

    The fixed point of q = p - field(q); it converges since fields here change by much less than a pixel a pixel.
    """
    planes: NDArray[np.float32] = np.dstack([field[0], field[1]])
    target = grid_points().reshape(GRID_H, GRID_W, 2)[box].astype(np.float32)
    source = target - planes[box]
    for _ in range(iterations):
        source = target - sample(planes, source, 1 / STEP)
    return source


def enlarge(map_HW2: NDArray[np.float32], factor: int = STEP) -> NDArray[np.float32]:
    """A map on the grid -> ``factor`` x ``factor`` values a cell; they stay in frame pixels."""
    return np.asarray(cv2.resize(map_HW2, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.float32)


def sample(
    image: NDArray[Number], map_HW2: NDArray[np.float32], density: float, method: int = cv2.INTER_LINEAR
) -> NDArray[Number]:
    """Read ``image``, of ``density`` pixels a frame pixel, at ``map_HW2``; beyond its edges it goes on as there."""
    at = map_HW2 * np.float32(density) + np.float32(0.5 * density - 0.5)
    x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    return np.asarray(cv2.remap(image, x, y, method, borderMode=cv2.BORDER_REPLICATE), image.dtype)
