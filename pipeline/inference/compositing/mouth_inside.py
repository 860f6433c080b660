"""Where a frame shows the inside of the mouth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.pixels import Window
from pipeline.landmarks.mouth_calibration import may_rest, own_gap, resting_gap
from pipeline.landmarks.points import INNER_LIPS
from pipeline.landmarks.shape import eye_distance
from pipeline.landmarks.similarity import apply_similarity

SOFT = 0.012
"""Softness of the opening's edge, in eye distances."""
APPEARS = (0.01, 0.06)
"""Gaps in eye distances between which the opening appears. AT-net does not close the lips of new voices completely, so
a small gap shows the line between closed lips, which is the picture's own."""
_UPPER, _LOWER = np.array([1, 2, 3]), np.array([7, 6, 5])  # of the inner lips: points above each other


class MouthInside:
    """The opening between the lips of one face in a picture."""

    def __init__(self, reference_68x2: NDArray[np.floating], back_2x3: NDArray[np.float64]) -> None:
        """Take the reference's points in pixels of the crop, which ``back_2x3`` takes to those of the picture."""
        self.back_2x3 = back_2x3
        self.eyes = float(eye_distance(reference_68x2[None])[0])  # in pixels of the crop
        self.scale = float(np.hypot(*back_2x3[:, 0]))
        landmarks_L = reference_68x2.reshape(-1)
        own = own_gap(landmarks_L) if may_rest(landmarks_L) else 0.0
        self.closed = max(own, resting_gap(landmarks_L)) * self.eyes
        """How far apart dlib sees this face's closed lips, in pixels of the crop."""

    def draw(self, points_68x2: NDArray[np.floating], window: Window) -> NDArray[np.float32]:
        """Draw the opening of a face (68, 2) in pixels of the crop: 0 to 1, in a part of the picture."""
        inner = np.asarray(points_68x2[INNER_LIPS], np.float64)
        middles = (inner[_UPPER] + inner[_LOWER]) / 2
        gap = np.maximum(inner[_LOWER, 1] - inner[_UPPER, 1] - self.closed, 0)
        share = float(np.clip((gap.mean() / self.eyes - APPEARS[0]) / (APPEARS[1] - APPEARS[0]), 0, 1))
        share = share**2 * (3 - 2 * share)
        half = share * gap / 2
        share = min(1.0, 2 * share)
        inner[_UPPER], inner[_LOWER] = middles, middles
        inner[_UPPER, 1] -= half
        inner[_LOWER, 1] += half
        width, height = window.size
        mask_HW = np.zeros((height, width), np.float32)
        if share <= 0:
            return mask_HW
        soft = max(0.5, SOFT * self.eyes * self.scale)
        outline = apply_similarity(self.back_2x3, inner) - (window.left, window.top)
        left, top = np.clip(np.floor(outline.min(axis=0) - 4 * soft).astype(int), 0, (width, height)).tolist()
        right, bottom = np.clip(np.ceil(outline.max(axis=0) + 4 * soft).astype(int), 0, (width, height)).tolist()
        if left < right and top < bottom:
            part_HW = np.zeros((bottom - top, right - left), np.uint8)
            # 4 fractional bits, so that the opening moves as smoothly as the face
            cv2.fillPoly(part_HW, [np.round((outline - (left, top)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
            mask_HW[top:bottom, left:right] = cv2.GaussianBlur(part_HW, (0, 0), soft) * np.float32(
                min(1.0, 2 * share) / 255
            )
        return mask_HW

    def draw_below(self, points_68x2: NDArray[np.floating], window: Window) -> NDArray[np.float32]:
        """Draw what is below the line between the lips of a face (68, 2) in pixels of the crop: 0 to 1."""
        inner, (width, height) = points_68x2[INNER_LIPS], window.size
        line = np.concatenate([inner[:1], (inner[_UPPER] + inner[_LOWER]) / 2, inner[4:5]])
        line = apply_similarity(self.back_2x3, line) - (window.left, window.top)
        sides = np.array([(-1.0, line[0, 1]), (width, line[-1, 1]), (width, height), (-1.0, height)])
        outline = np.concatenate([sides[:1], line, sides[1:]])
        mask_HW = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask_HW, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return mask_HW.astype(np.float32) / np.float32(255)
