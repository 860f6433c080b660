"""Finds the teeth, and the rest of the inside of the mouth, that a photograph shows."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.teeth_row import RIM, MouthPatch, TeethRow, ellipse
from pipeline.landmarks.points import INNER_LIPS, LOWER_LIP, MOUTH_LEFT, MOUTH_RIGHT, OUTER_LIPS, UPPER_LIP

# Distances are in eye distances.
PALE = 0.6
"""Largest redness of teeth over that of the lips (a* of CIELAB). On portraits teeth have 0.2 to 0.5, and bright places
on closed lips 0.8 and more."""
LEAST_RED, LIGHTER = 8.0, 1.2
"""In a photograph whose lips have less redness (a* of CIELAB), such as a black-and-white one, teeth are what is this
much lighter than the lips, and only between dlib's inner lips."""
DARKEST = 0.65
"""Least lightness of teeth, relative to the lightest teeth."""
LIGHT = 0.8
"""Least lightness of teeth, relative to the lips."""
DARK = 0.6
"""Largest lightness of a dark corner of the mouth, relative to the lips."""
GAPS = 0.015
"""Dark gaps of this height and twice this width belong to the teeth."""
LEAST_WIDTH, LEAST_AREA = 0.16, 0.004
"""A smaller pale place is no row of teeth."""


class Inside(NamedTuple):
    """What a patch shows between its lips."""

    opening_HW: NDArray[np.bool_]
    """Teeth, gaps and dark corners."""
    teeth: TeethRow | None
    """The upper teeth, if it shows any."""


def find_inside(patch: MouthPatch) -> Inside:
    """Find teeth and the rest of the inside of a mouth in a patch; masks are (H, W) of the patch."""
    wide_N = [MOUTH_RIGHT, *UPPER_LIP, MOUTH_LEFT, *LOWER_LIP[::-1]]
    inner, outer, wide = (_filled(patch.points_68x2[rows], patch.size) for rows in (INNER_LIPS, OUTER_LIPS, wide_N))
    lips = (outer > 0) & (inner == 0)
    if not lips.any():
        return Inside(inner > 0, None)
    light, red, _ = cv2.split(cv2.cvtColor(patch.image_HWC.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    lips_light, lips_red = float(np.median(light[lips])), float(np.median(red[lips]))
    around = cv2.dilate(wide, ellipse(1.5 * RIM * patch.eyes, 2 * RIM * patch.eyes)) > 0
    dark = (light < DARK * lips_light) & around
    if lips_red >= LEAST_RED:
        right, left = patch.points_68x2[INNER_LIPS][[0, 4], 0]  # beside the corners of the mouth there is pale skin
        columns = np.arange(patch.size[0])
        near = (cv2.dilate(inner, ellipse(RIM * patch.eyes)) > 0) & (columns >= right) & (columns <= left)
        pale = (red < PALE * lips_red) & near
    else:
        pale = (light > LIGHTER * lips_light) & (inner > 0)
    kernel = ellipse(GAPS * patch.eyes, 2 * GAPS * patch.eyes)
    opening = cv2.morphologyEx(((inner > 0) | pale | dark).astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    if not pale.any():
        return Inside(opening, None)
    teeth = pale & (light > max(DARKEST * float(np.percentile(light[pale], 85)), LIGHT * lips_light))
    joined = cv2.morphologyEx(teeth.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(joined)
    if len(statistics) < 2:
        return Inside(opening, None)
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))  # lower teeth are smaller
    width, area = statistics[largest, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA]]
    if width < LEAST_WIDTH * patch.eyes or area < LEAST_AREA * patch.eyes**2:
        return Inside(opening, None)
    return Inside(opening, TeethRow(patch, patch.image_HWC, labels == largest))


def _filled(outline_N2: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.uint8]:
    mask_HW = np.zeros(size[::-1], np.uint8)
    return np.asarray(cv2.fillPoly(mask_HW, [np.round(outline_N2).astype(np.int32)], 1), np.uint8)
