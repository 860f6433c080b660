"""How far eyes are open, and landmarks that close them."""

import numpy as np
from numpy.typing import NDArray

EYES = (slice(36, 42), slice(42, 48))
"""The person's right and left."""
CORNERS = np.array([36, 39, 42, 45])
_UPPER, _LOWER = np.array([37, 38, 43, 44]), np.array([41, 40, 47, 46])
"""Points of the lids, each above its own."""


def eye_opening(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The eyes' aspect ratio (T,): the lids' mean distance by the corners' (Soukupova and Cech, CVWW 2016).

    Open eyes have about 0.3; of closed ones dlib's predictor still says about half of that.
    """
    points = points_T68x2.astype(np.float64)
    gaps = np.linalg.norm(points[:, _UPPER] - points[:, _LOWER], axis=2).mean(axis=1)
    corners = points[:, CORNERS]
    widths = np.linalg.norm(corners[:, 1::2] - corners[:, ::2], axis=2).mean(axis=1)
    return np.asarray(gaps / widths)


def close_eyes(points_T68x2: NDArray[np.floating], closed_T: NDArray[np.floating]) -> NDArray[np.float32]:
    """The points (T, 68, 2), of any scale, with the upper lids moved ``closed_T`` (T,), 0 to 1, of the way down."""
    moved = points_T68x2.astype(np.float32)
    moved[:, _UPPER] += closed_T[:, None, None].astype(np.float32) * (moved[:, _LOWER] - moved[:, _UPPER])
    return moved
