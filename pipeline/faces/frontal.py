"""How far a face is turned."""

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.points import MOUTH_LEFT, MOUTH_RIGHT, NOSE_BASE


def measure_frontal(points_T68x2: NDArray[np.floating]) -> float:
    """How frontal upright faces are: 1 from the front, 0 where the nose hides the far corner of the mouth.

    The horizontal distances from the base of the nose to the two corners of the mouth, the shorter over the longer, at
    least 0; the median over the frames. GRID's speakers, who face the camera, have 0.74 to 0.98.
    """
    x_TP = points_T68x2[:, :, 0]
    sides = np.stack([x_TP[:, NOSE_BASE] - x_TP[:, MOUTH_RIGHT], x_TP[:, MOUTH_LEFT] - x_TP[:, NOSE_BASE]])
    return float(np.median(np.maximum(sides.min(axis=0), 0) / np.maximum(sides.max(axis=0), 1e-6)))
