"""Whose clip it is, where several faces are seen."""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.detect import Box, detect_faces, levels_above


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


def largest_face(image_HWC: NDArray[np.uint8]) -> Box | None:
    """Where the largest face of one RGB picture is; faces under 80 px are searched for only where there is no other."""
    boxes = detect_faces(image_HWC, skip=levels_above(80)) or detect_faces(image_HWC)
    return max(boxes, key=lambda box: box.area, default=None)
