"""How far a mouth is open."""

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.eyes import EYES

_UPPER, _LOWER = np.array([61, 62, 63]), np.array([67, 66, 65])
"""Points of the inner lips, each above its own."""


def eye_distance(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The distance (T,) of the eyes' centres, each the mean of its six points."""
    right, left = (points_T68x2[:, eye].astype(np.float64).mean(axis=1) for eye in EYES)
    return np.asarray(np.linalg.norm(right - left, axis=1))


def mouth_opening(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The opening (T,) of the inner lips, in distances of the eyes: the mean of |61 - 67|, |62 - 66| and |63 - 65|.

    Closed lips have about 0.03, a mouth that says "ah" 0.3 and more; NaN where no face was found.
    """
    points = points_T68x2.astype(np.float64)
    gaps = np.linalg.norm(points[:, _UPPER] - points[:, _LOWER], axis=2)
    return np.asarray(gaps.mean(axis=1) / eye_distance(points))


def lip_gap(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far the lower inner lip lies below the upper one (T,), in the units of upright points; negative where the
    lips cross. Unlike `mouth_opening` it is linear in the points.
    """
    points = points_T68x2.astype(np.float64)
    return np.asarray((points[:, _LOWER, 1] - points[:, _UPPER, 1]).mean(axis=1))
