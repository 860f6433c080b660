"""Draws upper teeth for a photograph that shows none."""

import cv2
import numpy as np

from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.teeth_row import MouthPatch, TeethRow
from pipeline.landmarks.points import MOUTH_LEFT, MOUTH_RIGHT
from pipeline.landmarks.shape import EYES

# Distances are in eye distances. Shapes and shades were chosen by eye.
WIDTHS = np.array([0.085, 0.066, 0.075, 0.070, 0.060])
"""Of the central incisor, the lateral incisor, the canine and both premolars. The row is 0.71 wide. The visible teeth
of 95 portraits are 0.68 wide in the median."""
EDGES = np.array([0.0, -0.008, -0.002, -0.014, -0.020])
"""How far down each tooth reaches, from the incisors' edge."""
CURVE = 0.10
"""The row rises to both sides, by this factor of the squared distance from the middle."""
HEIGHT = 0.2
ENAMEL = (52.0, (0.33, 0.29, 0.62))
"""CIELAB of teeth from that of the cheeks: an addition to the lightness, and factors. Fitted to 95 portraits that show
teeth. Lightness varies less between the teeth of people than between their cheeks."""
MOST = 35.0
"""Largest lightness of teeth above that of the cheeks. The darkest of these portraits have 30."""


def draw_teeth(whole: Photograph, patch: MouthPatch) -> TeethRow:
    """Draw a row of upper teeth in the light of the photograph's cheeks."""
    width, height = patch.size
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns - (width - 1) / 2) / patch.eyes, (rows - (height - 1) / 2) / patch.eyes
    ends, side = np.cumsum(WIDTHS), np.abs(x)
    tooth = np.minimum(np.searchsorted(ends, side), len(WIDTHS) - 1)
    across = (side - (ends - WIDTHS)[tooth]) / WIDTHS[tooth]  # 0 to 1 within a tooth
    edge = EDGES[tooth] - CURVE * x**2 - 0.010 * np.abs(2 * across - 1) ** 3  # rounded corners
    between = np.minimum(across, 1 - across) * WIDTHS[tooth]
    shade = 1 - 0.28 * np.exp(-((between / 0.006) ** 2))  # dark lines between teeth
    shade *= 1 - 0.55 * np.minimum(side / ends[-1], 1) ** 2  # less light at the sides
    shade *= 1 - 0.12 * np.exp(-(((edge - y) / 0.012) ** 2))  # edges are translucent
    lightness, factors = ENAMEL
    cheeks_3 = _cheeks(whole)
    lab_113 = (cheeks_3 * factors + (lightness, 0, 0))[None, None].astype(np.float32)
    lab_113[..., 0] = min(lab_113.item(0), cheeks_3[0] + MOST)
    enamel = cv2.cvtColor(lab_113, cv2.COLOR_LAB2RGB)[0, 0] * 255
    colours_HWC = np.clip(shade[..., None] * enamel, 0, 255).astype(np.uint8)
    return TeethRow(patch, colours_HWC, (side < ends[-1]) & (y < edge) & (y > -HEIGHT))


def _cheeks(whole: Photograph) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the median colour (3,) in CIELAB halfway between eyes and corners of the mouth."""
    points = whole.points_68x2
    height, width = whole.picture_HWC.shape[:2]
    squares = []
    for eye, corner in zip(EYES, (MOUTH_RIGHT, MOUTH_LEFT), strict=True):
        x, y = (points[eye].mean(axis=0) + points[corner]) / 2
        reach = max(1.0, float(np.hypot(*(points[45] - points[36]))) / 16)
        x, y = np.clip([x, y], 0, (width - 1, height - 1))
        part = slice(max(0, int(y - reach)), int(y + reach) + 1), slice(max(0, int(x - reach)), int(x + reach) + 1)
        squares.append(whole.picture_HWC[part].reshape(-1, 3))
    colours_1N3 = np.concatenate(squares)[None].astype(np.float32) / 255
    return np.asarray(np.median(cv2.cvtColor(colours_1N3, cv2.COLOR_RGB2LAB)[0], axis=0), np.float64)
