"""The 68 points of a face in dlib's order (iBUG 300-W)."""

import numpy as np
from numpy.typing import NDArray

COUNT = 68
NUMBERS = 2 * COUNT
"""Length of a flattened face x0, y0, x1, y1, ..."""

OUTLINES = {
    "jaw": (slice(0, 17), False),
    "right brow": (slice(17, 22), False),
    "left brow": (slice(22, 27), False),
    "nose": (slice(27, 36), False),
    "right eye": (slice(36, 42), True),
    "left eye": (slice(42, 48), True),
    "outer lips": (slice(48, 60), True),
    "inner lips": (slice(60, 68), True),
}
"""The points of each line, and whether the line is closed. Right and left are the person's own."""

MOUTH = slice(48, 68)
"""Both lips."""
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)
"""The outlines of the lips, and of the opening between them."""
UPPER_LIP, LOWER_LIP = np.array([61, 62, 63]), np.array([67, 66, 65])
"""Points of the inner lips that lie above each other."""
NOSE_TIP, NOSE_BASE, MOUTH_RIGHT, MOUTH_LEFT = 30, 33, 48, 54
"""The tip of the nose, the point below it, and the corners of the mouth."""

STABLE = np.array([27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45])
"""Nose and eye corners: neither speech nor blinking moves them, so similarity transforms are fitted to them."""

# fmt: off
MIRRORED = np.array([
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    *range(27, 31), *range(35, 30, -1),  # nose
    *range(45, 41, -1), 47, 46, *range(39, 35, -1), 41, 40,  # eyes
    *range(54, 47, -1), *range(59, 54, -1),  # outer lips
    *range(64, 59, -1), *range(67, 64, -1),  # inner lips
])
# fmt: on
"""The index in the original face of each point of the mirrored face."""


def interpolate_missing(points_T68x2: NDArray[np.floating], known_T: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The points (T, 68, 2), with those of frames that are not known interpolated from the nearest known frames.

    At least one frame must be known.
    """
    frames, known = np.arange(len(known_T)), np.flatnonzero(known_T)
    columns = points_T68x2.reshape(len(known_T), -1).T
    return np.stack([np.interp(frames, known, column[known]) for column in columns], axis=1).reshape(points_T68x2.shape)


def mirror_points(points_T68x2: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mirror points (..., 68, 2) about x = 0."""
    return points_T68x2[..., MIRRORED, :] * np.array([-1, 1], points_T68x2.dtype)
