"""Finds the upper teeth that a photograph shows."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.teeth_row import RIM, MouthPatch, TeethRow, ellipse
from pipeline.landmarks.points import INNER_LIPS, OUTER_LIPS

# Distances are in eye distances.
PALE = 0.6
"""Largest redness of teeth over that of the lips (a* of CIELAB). On portraits teeth have 0.2 to 0.5, and bright places
on closed lips 0.8 and more."""
DARKEST = 0.65
"""Lightness of the darkest teeth over that of the lightest."""
GAPS = 0.015
"""Dark gaps of this height and twice this width belong to the teeth."""
LEAST_WIDTH, LEAST_AREA = 0.16, 0.004
"""A smaller pale place is no row of teeth."""


def find_teeth(patch: MouthPatch) -> TeethRow | None:
    """Find the upper teeth in a patch; None if it shows none."""
    inner_HW, lips_HW = (_filled(patch.points_68x2[rows], patch.size) for rows in (INNER_LIPS, OUTER_LIPS))
    inside = cv2.dilate(inner_HW, ellipse(RIM * patch.eyes)) > 0
    lips = (lips_HW > 0) & (inner_HW == 0)
    if not lips.any():
        return None
    light, red, _ = cv2.split(cv2.cvtColor(patch.image_HWC.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    pale = (red < PALE * float(np.median(red[lips]))) & inside
    if not pale.any():
        return None
    pale &= light > DARKEST * float(np.percentile(light[pale], 85))
    kernel = ellipse(GAPS * patch.eyes, 2 * GAPS * patch.eyes)
    joined = cv2.morphologyEx(pale.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(joined)
    if len(statistics) < 2:
        return None
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))  # lower teeth are smaller
    width, area = statistics[largest, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA]]
    if width < LEAST_WIDTH * patch.eyes or area < LEAST_AREA * patch.eyes**2:
        return None
    return TeethRow(patch, patch.image_HWC, labels == largest)


def _filled(outline_N2: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.uint8]:
    mask_HW = np.zeros(size[::-1], np.uint8)
    return np.asarray(cv2.fillPoly(mask_HW, [np.round(outline_N2).astype(np.int32)], 1), np.uint8)
