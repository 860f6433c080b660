"""The picture itself, moved as the landmarks move, at its full resolution.

VG-net paints a crop of 128 or 256 pixels. In a larger picture its lips, stubble and skin would be soft, and their
colours would change a little. These parts only move when a person speaks, so they are moved pixels of the picture.
VG-net paints what the picture does not show: the inside of the mouth, and above the nose what looks different, such as
lids that close.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.inference.compositing.mouth_inside import MouthInside
from pipeline.inference.compositing.pixels import Places, Window, blended, reach, sampled, warped
from pipeline.landmarks.points import COUNT, LOWER_LIP, NOSE_BASE, NOSE_TIP, UPPER_LIP
from pipeline.landmarks.similarity import invert_similarity
from pipeline.models.mouth_detail import motion_field
from pipeline.preprocessing.base import Reference

SAME, OTHER = 10.0, 40.0
"""Difference in levels of 255 between the paint and the moved picture above the nose. Up to the first the moved picture
is shown, beyond the second the paint."""
_WITHOUT_LOWER, _WITHOUT_UPPER = (np.delete(np.arange(COUNT), lip) for lip in (LOWER_LIP, UPPER_LIP))
"""The points that move what is above and below the line between the lips: each lip moves by itself."""
_CELLS = 32  # places along each side of the crop at which the motion is computed; it is smooth


class MovedPicture:
    """A picture with a part that moves."""

    def __init__(self, picture_HWC: NDArray[np.uint8], reference: Reference, onto_2x3: NDArray[np.float64]) -> None:
        """Prepare an RGB picture, which ``onto_2x3`` takes to the pixels of the reference's crop."""
        self.picture_HWC, self.reference, self.onto_2x3 = picture_HWC, reference, onto_2x3
        self.side = reference.image_HWC.shape[0]
        self.back_2x3 = invert_similarity(onto_2x3)
        self.size = picture_HWC.shape[1], picture_HWC.shape[0]
        self.inside = MouthInside(reference.points_68x2, self.back_2x3)
        (self.own_68x2,) = self.inside.part_lips(reference.points_68x2[None])
        """The reference's points; closed lips touch."""
        self.own_inside_HW = self.inside.draw(self.own_68x2, Window(0, 0, *self.size))
        """Where the picture itself shows the inside of its mouth, 0 to 1."""
        tip, base = reference.points_68x2[[NOSE_TIP, NOSE_BASE], 1]
        # 1 above the nose's tip by the height of its lower edge, 0 below it
        rows = np.clip((tip - np.arange(self.side, dtype=np.float32)) / max(float(base - tip), 1.0), 0, 1)
        self.above_nose_HW = np.repeat(rows[:, None], self.side, axis=1)

    def motions(self, points_T68x2: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far each part of a face (T, 68, 2) is from where the reference shows it.

        The points are in pixels of the crop, and closed lips touch (`MouthInside.part_lips`).
        The last axis is x and y of what moves with the upper lip, and x and y of what moves with the lower lip, in
        pixels of the crop: (T, cells, cells, 4), at the cells' middles.
        """
        middles = (torch.arange(_CELLS) + 0.5) / _CELLS
        points = torch.from_numpy((points_T68x2 + 0.5) / self.side)
        reference = torch.from_numpy((self.own_68x2 + 0.5) / self.side).expand_as(points)
        motions = [
            motion_field(points[:, kept], reference[:, kept], middles, middles) * self.side
            for kept in (_WITHOUT_LOWER, _WITHOUT_UPPER)
        ]
        return np.asarray(torch.cat(motions, dim=1).permute(0, 2, 3, 1).contiguous().numpy(), np.float32)

    def sources(
        self, points_68x2: NDArray[np.float32], motion_HW4: NDArray[np.float32], share_HW: NDArray[np.float32]
    ) -> tuple[Window, Places, NDArray[np.float32]]:
        """Return the part that moves, the place that each of its pixels comes from, and how far each follows (H, W).

        The arguments are those of `part`.
        """
        x, y, columns, rows = cv2.boundingRect((share_HW > 0).astype(np.uint8))
        window = reach(self.back_2x3, (x - 1, y - 1, x + columns, y + rows), self.size)
        onto_2x3, size = window.seen_from(self.onto_2x3), window.size
        follows_HW = warped(share_HW, onto_2x3, size)
        onto_cells_2x3 = onto_2x3 * (_CELLS / self.side) + np.array([0, 0, 0.5 * _CELLS / self.side - 0.5])
        to_picture_2x2 = self.back_2x3[:, :2].T.astype(np.float32)
        steps_HW4 = np.concatenate([motion_HW4[..., :2] @ to_picture_2x2, motion_HW4[..., 2:] @ to_picture_2x2], axis=2)
        steps_HW4 = warped(steps_HW4, onto_cells_2x3, size, border=cv2.BORDER_REPLICATE)
        upper_x, upper_y, lower_x, lower_y = cv2.split(steps_HW4)
        below_HW, (x_HW, y_HW) = self.inside.draw_below(points_68x2, window), Places.of(window)
        x_HW += follows_HW * (upper_x + below_HW * (lower_x - upper_x))
        y_HW += follows_HW * (upper_y + below_HW * (lower_y - upper_y))
        return window, Places(x_HW, y_HW), follows_HW

    def part(
        self,
        painted_HWC: NDArray[np.uint8],
        points_68x2: NDArray[np.float32],
        motion_HW4: NDArray[np.float32],
        share_HW: NDArray[np.float32],
    ) -> tuple[Window, NDArray[np.uint8], NDArray[np.float32]]:
        """Return the part of the picture that changes, its new pixels, and where they show the inside of the mouth.

        ``painted_HWC`` is VG-net's frame (size, size, 3) for the points (68, 2), which are in pixels of the crop, and
        ``motion_HW4`` one of `motions`. ``share_HW`` (size, size), 0 to 1, is how far each place of the crop follows.
        """
        points_68x2 = self._followed(points_68x2, share_HW)
        window, origins, follows_HW = self.sources(points_68x2, motion_HW4, share_HW)
        onto_2x3, size = window.seen_from(self.onto_2x3), window.size
        moved_HWC = sampled(self.picture_HWC, origins, cv2.INTER_CUBIC)
        inside_HW = self.inside.draw(points_68x2, window) * follows_HW
        paint_HW = inside_HW
        above_HW = self.above_nose_HW * share_HW
        if above_HW.any():
            paint_HW = np.maximum(paint_HW, warped(above_HW * self._other(painted_HWC, motion_HW4), onto_2x3, size))
        if self.own_inside_HW.any():
            paint_HW = np.maximum(paint_HW, sampled(self.own_inside_HW, origins) * follows_HW)
        x, y, columns, rows = cv2.boundingRect((paint_HW > 0).astype(np.uint8))
        if columns:
            place = Window(x, y, x + columns, y + rows)
            paint_HWC = warped(painted_HWC, place.seen_from(onto_2x3), place.size, cv2.INTER_CUBIC)
            moved_HWC[place.part] = blended(paint_HWC, moved_HWC[place.part], paint_HW[place.part])
        return window, moved_HWC, inside_HW

    def _followed(self, points_68x2: NDArray[np.float32], share_HW: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the points, moved by the share of the motion at their place."""
        x, y = np.clip(np.round(points_68x2).astype(int), 0, self.side - 1).T
        return np.asarray(self.own_68x2 + share_HW[y, x, None] * (points_68x2 - self.own_68x2), np.float32)

    def _other(self, painted_HWC: NDArray[np.uint8], motion_HW4: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where the paint shows something other than the moved reference, 0 to 1 (size, size)."""
        x_HW, y_HW = Places.of(Window(0, 0, self.side, self.side))
        right_HW, down_HW = cv2.split(cv2.resize(np.ascontiguousarray(motion_HW4[..., :2]), (self.side, self.side)))
        origins = Places(x_HW + right_HW, y_HW + down_HW)
        difference_HWC = cv2.absdiff(sampled(self.reference.image_HWC, origins), painted_HWC)
        difference_HW = cv2.blur(difference_HWC, (3, 3)).max(axis=2)
        return np.asarray(np.clip((difference_HW - SAME) / (OTHER - SAME), 0, 1), np.float32)
