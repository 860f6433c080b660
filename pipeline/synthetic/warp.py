"""Smooth displacement fields over the frame: interpolated from control points, added and inverted.

Fields have one value per grid cell of ``CELL`` x ``CELL`` pixels. They are smooth, so the coarse grid loses nothing
visible, and a frame takes a few milliseconds.
"""

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

WIDTH, HEIGHT = 360, 288
CELL = 2
GRID_W, GRID_H = WIDTH // CELL, HEIGHT // CELL

Number = TypeVar("Number", np.uint8, np.float32)
Box = tuple[slice, slice]
"""Rows and columns."""
Field = NDArray[np.float32]
"""(2, GRID_H, GRID_W): x and y displacement in frame pixels."""


@lru_cache(maxsize=1)
def grid_points() -> NDArray[np.float64]:
    """The centres of the grid's cells (GRID_H * GRID_W, 2) in frame pixels."""
    x, y = np.meshgrid(np.arange(GRID_W), np.arange(GRID_H))
    return (np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float64) + 0.5) * CELL - 0.5


def interpolate(points_N2: NDArray[np.float64], values_NK: NDArray[np.float64]) -> NDArray[np.float32]:
    """The thin-plate spline through ``values_NK`` at ``points_N2``, on the grid: (K, GRID_H, GRID_W).

    Values are rounded to a thousandth, because the solver's last bits depend on the number of threads.
    """
    values = RBFInterpolator(points_N2, values_NK, kernel="thin_plate_spline")(grid_points())
    return np.ascontiguousarray(np.round(values, 3).T.reshape(-1, GRID_H, GRID_W).astype(np.float32))


def inverse_map(field: Field, box: Box, iterations: int = 5) -> NDArray[np.float32]:
    """Sources (rows, columns, 2), in frame pixels, of the grid cells in ``box`` when every q moves to q + field(q).

    This is the fixed point of q = p - field(q). The iteration converges because fields have small gradients.
    """
    planes: NDArray[np.float32] = np.dstack([field[0], field[1]])
    target = grid_points().reshape(GRID_H, GRID_W, 2)[box].astype(np.float32)
    source = target - planes[box]
    for _ in range(iterations):
        source = target - sample(planes, source, 1 / CELL)
    return source


def enlarge(map_HW2: NDArray[np.float32], factor: int = CELL) -> NDArray[np.float32]:
    """Resample a map from the grid to ``factor`` x ``factor`` values per cell. Its unit stays frame pixels."""
    return np.asarray(cv2.resize(map_HW2, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.float32)


def sample(
    image: NDArray[Number], map_HW2: NDArray[np.float32], density: float, method: int = cv2.INTER_LINEAR
) -> NDArray[Number]:
    """Read ``image`` (``density`` pixels per frame pixel) at ``map_HW2`` (frame pixels); its border is repeated."""
    at = map_HW2 * np.float32(density) + np.float32(0.5 * density - 0.5)
    x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    return np.asarray(cv2.remap(image, x, y, method, borderMode=cv2.BORDER_REPLICATE), image.dtype)
