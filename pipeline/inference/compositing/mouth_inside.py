"""Where a frame shows the inside of the mouth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.pixels import Window, filled
from pipeline.landmarks.mouth_calibration import may_rest, own_gap, resting_gap
from pipeline.landmarks.points import INNER_LIPS, LOWER_LIP, UPPER_LIP
from pipeline.landmarks.shape import eye_distance, lip_gap
from pipeline.landmarks.similarity import apply_similarity

# Distances are in eye distances.
SOFT = 0.012
"""Softness of the opening's edge."""
OPENS = (0.0, 0.04)
"""Gaps beyond that of closed lips between which the lips part. AT-net does not close the lips of new voices completely,
so lips that are nearly closed touch."""
_VISIBLE = 0.01  # gap from which the opening is drawn in full


class MouthInside:
    """The opening between the lips of one face in a picture."""

    def __init__(self, reference_68x2: NDArray[np.floating], back_2x3: NDArray[np.float64]) -> None:
        """Take the reference's points in pixels of the crop, which ``back_2x3`` takes to those of the picture."""
        self.back_2x3 = back_2x3
        self.eyes = float(eye_distance(reference_68x2[None])[0])  # in pixels of the crop
        self.soft = max(0.5, SOFT * self.eyes * float(np.hypot(*back_2x3[:, 0])))  # in pixels of the picture
        landmarks_L = reference_68x2.reshape(-1)
        own = own_gap(landmarks_L) if may_rest(landmarks_L) else 0.0
        self.closed = max(own, resting_gap(landmarks_L))
        """How far apart dlib sees this face's closed lips, in eye distances."""

    def part_lips(self, points_T68x2: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return points (T, 68, 2) in pixels of the crop whose closed lips touch, where dlib sees a gap."""
        upper, lower = points_T68x2[:, UPPER_LIP], points_T68x2[:, LOWER_LIP]
        half = np.maximum(lower[..., 1] - upper[..., 1], 0) / 2
        beyond_T1 = 2 * half.mean(axis=1, keepdims=True) / self.eyes - self.closed
        share_T1 = np.clip((beyond_T1 - OPENS[0]) / (OPENS[1] - OPENS[0]), 0, 1)
        half *= share_T1**2 * (3 - 2 * share_T1)
        shown_T68x2 = points_T68x2.copy()
        shown_T68x2[:, UPPER_LIP] = shown_T68x2[:, LOWER_LIP] = (upper + lower) / 2
        shown_T68x2[:, UPPER_LIP, 1] -= half
        shown_T68x2[:, LOWER_LIP, 1] += half
        return shown_T68x2

    def draw(self, points_68x2: NDArray[np.floating], window: Window) -> NDArray[np.float32]:
        """Draw the opening of a face (68, 2), whose closed lips touch: 0 to 1, in a part of the picture."""
        inner, (width, height) = points_68x2[INNER_LIPS], window.size
        mask_HW = np.zeros((height, width), np.float32)
        gap = float(lip_gap(points_68x2[None])[0]) / self.eyes
        if gap <= 0:
            return mask_HW
        outline = apply_similarity(self.back_2x3, inner) - (window.left, window.top)
        left, top = np.clip(np.floor(outline.min(axis=0) - 4 * self.soft).astype(int), 0, (width, height)).tolist()
        right, bottom = np.clip(np.ceil(outline.max(axis=0) + 4 * self.soft).astype(int), 0, (width, height)).tolist()
        if left < right and top < bottom:
            part_HW = filled(outline - (left, top), (right - left, bottom - top))
            level = np.float32(min(1.0, gap / _VISIBLE))
            mask_HW[top:bottom, left:right] = np.minimum(cv2.GaussianBlur(part_HW, (0, 0), self.soft), 1) * level
        return mask_HW

    def draw_below(self, points_68x2: NDArray[np.floating], window: Window) -> NDArray[np.float32]:
        """Draw what is below the line between the lips of a face (68, 2) in pixels of the crop: 0 to 1."""
        width, height = window.size
        right, left = points_68x2[INNER_LIPS][[0, 4]]  # corners
        line = np.array([right, *(points_68x2[UPPER_LIP] + points_68x2[LOWER_LIP]) / 2, left])
        far = 15 * self.eyes  # beyond the crop
        sides = np.array([(-far, line[0, 1]), (far, line[-1, 1]), (far, far), (-far, far)])
        outline = apply_similarity(self.back_2x3, np.concatenate([sides[:1], line, sides[1:]]))
        outline = np.clip(outline - (window.left, window.top), -(2.0**14), 2.0**14)  # the limits of fillPoly
        mask_HW = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask_HW, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return mask_HW.astype(np.float32) / np.float32(255)
