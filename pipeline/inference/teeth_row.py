"""A row of upper teeth, in an upright patch around the mouth of a photograph."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.pixels import reach, warped
from pipeline.inference.compositing.teeth import Teeth
from pipeline.landmarks.points import INNER_LIPS
from pipeline.landmarks.shape import eye_distance
from pipeline.landmarks.similarity import apply_similarity, invert_similarity

# Distances are in eye distances.
REACH = np.array([0.55, 0.35])
"""Of the patch, from the middle of the mouth across and along the face."""
WIDER = 0.2
"""How much further the patch reaches across, rounded to pixels. The dark corners of the widest of 273 mouths are 0.72
from the middle. Rounding keeps the pixels of a smaller patch: in small mouths other pixels give other teeth."""
RIM = 0.03
"""How far teeth may reach beyond dlib's inner lips, and soft edges beyond the teeth."""
FRONT = 0.12
"""Reach of the front teeth to each side of the middle."""
BELOW = (0.02, 0.05)
"""Least and greatest distance of the front teeth's edge below the line between the closed lips. The teeth are shifted
to keep it, because closed lips do not meet exactly where the lips of the smile did."""


class MouthPatch:
    """An upright patch of a photograph. Its pixels have the photograph's size."""

    def __init__(self, whole: Photograph) -> None:
        """Take the patch around the mouth of the photograph's reference."""
        upright_68x2, back_2x3 = whole.moved.reference.points_68x2, whole.back_2x3
        self.scale = scale = float(np.hypot(*back_2x3[:, 0]))  # pixels of the photograph per pixel of the crop
        self.eyes = scale * float(eye_distance(upright_68x2[None])[0])
        """The distance of the eyes in pixels."""
        wider = np.array([round(WIDER * self.eyes), 0])
        self.corner = corner = scale * upright_68x2[INNER_LIPS].mean(axis=0) - REACH * self.eyes - wider
        width, height = (np.maximum(1, np.round(2 * REACH * self.eyes).astype(int)) + 2 * wider).tolist()
        self.size = width, height
        self.points_68x2 = scale * upright_68x2 - corner
        self.back_2x3 = np.column_stack([back_2x3[:, :2] / scale, apply_similarity(back_2x3, corner / scale)])
        """The transform from the patch's pixels to those of the photograph."""
        self.image_HWC = warped(whole.picture_HWC, self.back_2x3, self.size, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class TeethRow:
    """Upper teeth in a patch: their colours, RGB (H, W, 3), and their pixels (H, W)."""

    patch: MouthPatch
    colours_HWC: NDArray[np.uint8]
    mask_HW: NDArray[np.bool_]

    @property
    def width(self) -> float:
        """The width of the row in eye distances."""
        return float(self.mask_HW.any(axis=0).sum()) / self.patch.eyes

    @property
    def area(self) -> float:
        """The area of the row in squared eye distances."""
        return float(self.mask_HW.sum()) / self.patch.eyes**2

    def place(self, closed_68x2: NDArray[np.floating], size: tuple[int, int]) -> Teeth:
        """Return the teeth behind closed lips, whose points are in pixels of a photograph of ``size``."""
        eyes, back_2x3, (width, height) = self.patch.eyes, self.patch.back_2x3, self.patch.size
        rows, columns = np.arange(height)[:, None], np.flatnonzero(self.mask_HW.any(axis=0))
        tops, edges = np.argmax(self.mask_HW, axis=0), height - 1 - np.argmax(self.mask_HW[::-1], axis=0)
        edge = float(np.median(edges[columns[np.abs(columns - columns.mean()) <= FRONT * eyes]]))
        line = float(apply_similarity(invert_similarity(back_2x3), closed_68x2[INNER_LIPS])[:, 1].mean())
        down = float(np.clip(edge, line + BELOW[0] * eyes, line + BELOW[1] * eyes)) - edge
        back_2x3 = np.column_stack([back_2x3[:, :2], apply_similarity(back_2x3, np.array([0.0, down]))])
        # What the upper lip hides has the colour of the tooth below it.
        from_rows = np.maximum(rows, np.minimum(tops + round(0.01 * eyes), edges))
        alpha_HW = (self.mask_HW.any(axis=0) & (rows <= edges)).astype(np.float32)
        alpha_HW = np.asarray(cv2.GaussianBlur(alpha_HW, (0, 0), max(0.6, 0.006 * eyes)), np.float32)
        window = reach(back_2x3, (-0.5, -0.5, width - 0.5, height - 0.5), size)
        onto_2x3 = window.seen_from(invert_similarity(back_2x3))
        colours_HWC = np.ascontiguousarray(self.colours_HWC[from_rows, np.arange(width)])
        colours_HWC = warped(colours_HWC, onto_2x3, window.size, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
        return Teeth(colours_HWC, warped(alpha_HW, onto_2x3, window.size), window, eyes)


def ellipse(height: float, width: float | None = None) -> NDArray[np.uint8]:
    """Return an elliptical kernel that reaches this far in pixels; ``width`` is by default the height."""
    reaches = height if width is None else width, height
    size = tuple(2 * max(1, round(reach)) + 1 for reach in reaches)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)
