"""Finds the teeth, and the rest of the inside of the mouth, that a photograph shows."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.teeth_row import RIM, MouthPatch, TeethRow, ellipse
from pipeline.landmarks.mouth_calibration import CLOSED_GAP
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
SOFT = (0.03, 0.01)
"""Blur along and across the line where closed lips meet, against hair and wrinkles; chosen by eye."""
LEAST_INSIDE = 0.1
"""Least share of a row of teeth between dlib's inner lips. On 202 portraits that show teeth it is 0.19 or more, and 0
in light that a closed lip reflects."""
DARK_HEIGHT = 0.015
"""Least median height of the dark places between parted lips that show no teeth. It is 0 in the two of 273 portraits
whose closed lips dlib sees apart, and 0.028 in the one whose lips are parted."""


class Inside(NamedTuple):
    """What a patch shows between its lips."""

    opening_HW: NDArray[np.bool_]
    """Teeth, gaps and dark corners."""
    teeth: TeethRow | None
    """The upper teeth, if it shows any."""
    only_lips: bool
    """Whether there is nothing but lips where dlib sees the inside of the mouth."""


def find_inside(patch: MouthPatch) -> Inside:
    """Find teeth and the rest of the inside of a mouth in a patch; masks are (H, W) of the patch."""
    wide_N = [MOUTH_RIGHT, *UPPER_LIP, MOUTH_LEFT, *LOWER_LIP[::-1]]
    inner, outer, wide = (_filled(patch.points_68x2[rows], patch.size) for rows in (INNER_LIPS, OUTER_LIPS, wide_N))
    lips = (outer > 0) & (inner == 0)
    if not lips.any():
        return Inside(inner > 0, None, False)
    light, red, _ = cv2.split(cv2.cvtColor(patch.image_HWC.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    lips_light, lips_red = float(np.median(light[lips])), float(np.median(red[lips]))
    around = cv2.dilate(wide, ellipse(1.5 * RIM * patch.eyes, 2 * RIM * patch.eyes)) > 0
    dark = (light < DARK * lips_light) & around
    near = cv2.dilate(inner, ellipse(RIM * patch.eyes)) > 0
    if lips_red >= LEAST_RED:
        right, left = patch.points_68x2[INNER_LIPS][[0, 4], 0]  # beside the corners of the mouth there is pale skin
        columns = np.arange(patch.size[0])
        pale = (red < PALE * lips_red) & near & (columns >= right) & (columns <= left)
    else:
        pale = (light > LIGHTER * lips_light) & (inner > 0)
    kernel = ellipse(GAPS * patch.eyes, 2 * GAPS * patch.eyes)
    opening = cv2.morphologyEx(((inner > 0) | pale | dark).astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    teeth = pale & (light > LIGHT * lips_light)
    if pale.any():
        teeth &= light > DARKEST * float(np.percentile(light[pale], 85))
    row = _largest(
        patch, np.asarray(cv2.morphologyEx(teeth.astype(np.uint8), cv2.MORPH_CLOSE, kernel), np.uint8), inner
    )
    first, last = np.clip(np.round(patch.points_68x2[UPPER_LIP[[0, -1]], 0]).astype(int), 0, patch.size[0] - 1)
    dark_height = float(np.median((dark & near)[:, first : max(first, last) + 1].sum(axis=0))) / patch.eyes
    return Inside(opening, row, row is None and dark_height < DARK_HEIGHT)


def _largest(patch: MouthPatch, teeth_HW: NDArray[np.uint8], inner_HW: NDArray[np.uint8]) -> TeethRow | None:
    """Return the largest part of the teeth, if it is a row; lower teeth are smaller."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(teeth_HW)
    if len(statistics) < 2:
        return None
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    width, area = statistics[largest, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA]]
    if width < LEAST_WIDTH * patch.eyes or area < LEAST_AREA * patch.eyes**2:
        return None
    row_HW = labels == largest
    return TeethRow(patch, patch.image_HWC, row_HW) if inner_HW[row_HW].mean() >= LEAST_INSIDE else None


def find_seam(patch: MouthPatch) -> NDArray[np.bool_]:
    """Find where closed lips meet: a line of `CLOSED_GAP` along what is darkest around dlib's inner lips, (H, W)."""
    inner = _filled(patch.points_68x2[INNER_LIPS], patch.size)
    near = cv2.dilate(inner, ellipse(RIM * patch.eyes)) > 0
    along, across = (max(0.6, soft * patch.eyes) for soft in SOFT)
    light = cv2.GaussianBlur(cv2.cvtColor(patch.image_HWC, cv2.COLOR_RGB2GRAY), (0, 0), along, sigmaY=across)
    darkest_W = np.argmin(np.where(near, light, 255), axis=0)
    distances_HW = np.abs(np.arange(patch.size[1])[:, None] - darkest_W)
    return np.asarray((distances_HW <= CLOSED_GAP / 2 * patch.eyes) & near.any(axis=0))


def _filled(outline_N2: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.uint8]:
    mask_HW = np.zeros(size[::-1], np.uint8)
    return np.asarray(cv2.fillPoly(mask_HW, [np.round(outline_N2).astype(np.int32)], 1), np.uint8)
