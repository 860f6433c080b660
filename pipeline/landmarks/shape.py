"""Measures of a face's shape: how far eyes and mouth are open, and how far the head is turned."""

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.points import LOWER_LIP, MOUTH_LEFT, MOUTH_RIGHT, NOSE_BASE, UPPER_LIP

EYES = (slice(36, 42), slice(42, 48))
"""The person's right and left eye."""
_EYE_CORNERS = np.array([36, 39, 42, 45])
_UPPER_LIDS, _LOWER_LIDS = np.array([37, 38, 43, 44]), np.array([41, 40, 47, 46])


def eye_opening(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The eye aspect ratio (T,): the lids' mean distance over the corners' (Soukupova and Cech, CVWW 2016).

    Open eyes have about 0.3. dlib's predictor gives about half of that for closed ones.
    """
    points = points_T68x2.astype(np.float64)
    gaps = np.linalg.norm(points[:, _UPPER_LIDS] - points[:, _LOWER_LIDS], axis=2).mean(axis=1)
    corners = points[:, _EYE_CORNERS]
    widths = np.linalg.norm(corners[:, 1::2] - corners[:, ::2], axis=2).mean(axis=1)
    return np.asarray(gaps / widths)


def close_eyes(points_T68x2: NDArray[np.floating], closed_T: NDArray[np.floating]) -> NDArray[np.float32]:
    """Move the upper lids of points (T, 68, 2) down by the share ``closed_T`` (T,), 0 to 1, of their opening."""
    moved = points_T68x2.astype(np.float32)
    moved[:, _UPPER_LIDS] += closed_T[:, None, None].astype(np.float32) * (
        moved[:, _LOWER_LIDS] - moved[:, _UPPER_LIDS]
    )
    return moved


def eye_distance(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The distance (T,) between the centres of the eyes, each the mean of six points."""
    right, left = (points_T68x2[:, eye].astype(np.float64).mean(axis=1) for eye in EYES)
    return np.asarray(np.linalg.norm(right - left, axis=1))


def mouth_opening(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The opening (T,) of the inner lips in eye distances: the mean of |61 - 67|, |62 - 66| and |63 - 65|.

    Closed lips have about 0.03, a mouth that says "ah" 0.3 and more. NaN points give NaN.
    """
    points = points_T68x2.astype(np.float64)
    gaps = np.linalg.norm(points[:, UPPER_LIP] - points[:, LOWER_LIP], axis=2)
    return np.asarray(gaps.mean(axis=1) / eye_distance(points))


def lip_gap(points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The vertical gap (T,) of the inner lips in the unit of upright points; negative when the lips cross.

    Unlike `mouth_opening` it is linear in the points.
    """
    points = points_T68x2.astype(np.float64)
    return np.asarray((points[:, LOWER_LIP, 1] - points[:, UPPER_LIP, 1]).mean(axis=1))


def frontality(points_T68x2: NDArray[np.floating]) -> float:
    """How frontal upright faces are: 1 from the front, 0 when the nose hides the far corner of the mouth.

    In each frame, the shorter horizontal distance from the nose's base to a corner of the mouth is divided by the
    longer. The result is the median. GRID's speakers, who face the camera, have 0.74 to 0.98.
    """
    x_TP = points_T68x2[:, :, 0]
    sides = np.stack([x_TP[:, NOSE_BASE] - x_TP[:, MOUTH_RIGHT], x_TP[:, MOUTH_LEFT] - x_TP[:, NOSE_BASE]])
    return float(np.median(np.maximum(sides.min(axis=0), 0) / np.maximum(sides.max(axis=0), 1e-6)))
