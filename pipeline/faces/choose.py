"""Whose clip it is, where several faces are seen."""

import numpy as np

from pipeline.config import FaceRule
from pipeline.faces.detect import Box


def weight(rule: FaceRule, box: Box, size: tuple[int, int]) -> float:
    """How much a face in ``box`` counts in one frame of ``size`` (width, height), above 0.

    Summed over the frames in which a face is seen, so that of equal faces the steadiest one counts most.
    """
    width, height = size
    x = (box.left + box.right) / width / 2
    y = (box.top + box.bottom) / height / 2
    central = 1.0 - 0.5 * min(1.0, float(np.hypot(2 * x - 1, 2 * y - 1)))  # 1 in the middle, 0.5 at the edge
    weights = {
        "prominent": box.area * central,
        "largest": box.area,
        "central": (central - 0.5) ** 2,
        "left": 1.0 - x,
        "right": x,
    }
    return max(float(weights[rule]), 1e-6)
