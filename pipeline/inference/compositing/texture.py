"""Fine detail of a picture that is larger than the crop, moved with the painted face.

VG-net sees and paints a crop of 128 or 256 pixels, so a larger picture would lose its pores, stubble and sharp lips
where it is painted. Here they come back: what the picture shows beyond its crop moves as the landmarks move, and is
added to the paint where the paint shows what was there before. It is left out where the paint shows something else,
such as the inside of a mouth that was closed.
"""

from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.models.mouth_detail import motion_field
from pipeline.preprocessing.base import Reference

Number = TypeVar("Number", np.uint8, np.int16, np.float32)

SMALLEST_SCALE = 1.15
"""Pixels of the picture per pixel of the crop, from which on there is detail to add."""
SAME, OTHER = 10.0, 40.0
"""Difference in levels of 255 between the paint and the moved picture. Up to the first the detail is added in full,
beyond the second not at all."""
_CELLS = 32  # places along each side of the crop at which the motion is computed; it is smooth


class Texture:
    """The detail of one picture in the region that the crop covers."""

    def __init__(self, region_HWC: NDArray[np.uint8], reference: Reference, onto_2x3: NDArray[np.float64]) -> None:
        """Prepare the detail of an RGB region, which ``onto_2x3`` takes to the pixels of the reference's crop."""
        self.reference, self.onto_2x3 = reference, onto_2x3
        self.side = reference.image_HWC.shape[0]
        seen_HWC = _warped(reference.image_HWC, onto_2x3, region_HWC.shape, cv2.INTER_CUBIC)
        self.detail_HWC = region_HWC.astype(np.int16) - seen_HWC
        self.places_HW2 = _places(self.side, self.side)

    def motions(self, points_T68x2: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far each part of a face (T, 68, 2) is from where the reference shows it.

        x and y in pixels of the crop, (T, cells, cells, 2), at the cells' middles.
        """
        points = torch.from_numpy((points_T68x2 + 0.5) / self.side)
        reference = torch.from_numpy((self.reference.points_68x2 + 0.5) / self.side).expand_as(points)
        middles = (torch.arange(_CELLS) + 0.5) / _CELLS
        motion_T2HW = motion_field(points, reference, middles, middles) * self.side
        return np.asarray(motion_T2HW.permute(0, 2, 3, 1).contiguous().numpy(), np.float32)

    def add(
        self,
        paint_HWC: NDArray[np.uint8],
        colour_HWC: NDArray[np.uint8],
        motion_HW2: NDArray[np.float32],
        corner: tuple[int, int],
    ) -> NDArray[np.uint8]:
        """Return the paint of a part of the region with the detail added.

        ``colour_HWC`` is the paint in the crop, ``motion_HW2`` the frame's from `motions`, and ``corner`` the part's
        left and top in the region.
        """
        linear_2x2, shift_2 = self.onto_2x3[:, :2], self.onto_2x3[:, 2]
        onto_2x3 = np.column_stack([linear_2x2, shift_2 + linear_2x2 @ corner])  # from the part's pixels to the crop's
        share = _CELLS / self.side
        onto_cells_2x3 = onto_2x3 * share + np.array([0, 0, 0.5 * share - 0.5])
        moves_HW2 = _warped(
            motion_HW2 @ np.linalg.inv(linear_2x2).T.astype(np.float32), onto_cells_2x3, paint_HWC.shape
        )
        from_HW2 = moves_HW2 + _places(*paint_HWC.shape[:2]) + np.array(corner, np.float32)
        detail_HWC = _sampled(self.detail_HWC, from_HW2)
        share_HW = _warped(self._same(colour_HWC, motion_HW2), onto_2x3, paint_HWC.shape)
        sharp_HWC = cv2.add(paint_HWC, detail_HWC, dtype=cv2.CV_8U)
        return np.asarray(cv2.blendLinear(sharp_HWC, paint_HWC, share_HW, 1 - share_HW), np.uint8)

    def _same(self, colour_HWC: NDArray[np.uint8], motion_HW2: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far the paint shows what the moved reference shows, 0 to 1 (size, size)."""
        from_HW2 = cv2.resize(motion_HW2, (self.side, self.side)) + self.places_HW2
        difference_HWC = cv2.absdiff(_sampled(self.reference.image_HWC, from_HW2), colour_HWC)
        difference_HW = cv2.blur(difference_HWC, (3, 3)).max(axis=2)
        return np.asarray(np.clip((OTHER - difference_HW) / (OTHER - SAME), 0, 1), np.float32)


def _warped(
    image: NDArray[Number], onto_2x3: NDArray[np.float64], shape: tuple[int, ...], how: int = cv2.INTER_LINEAR
) -> NDArray[Number]:
    size = shape[1], shape[0]
    warped = cv2.warpAffine(image, onto_2x3, size, flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, image.dtype)


def _sampled(image: NDArray[Number], from_HW2: NDArray[np.floating]) -> NDArray[Number]:
    """Return the image at these places, by linear interpolation."""
    x, y = cv2.split(from_HW2)
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), image.dtype)


def _places(height: int, width: int) -> NDArray[np.float32]:
    """Return x and y of each pixel, (height, width, 2)."""
    return np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), axis=-1)
