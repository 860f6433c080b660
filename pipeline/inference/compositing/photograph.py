"""The whole picture, with the generated face blended back into it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.lids import close_lids
from pipeline.landmarks.similarity import fit_similarity, invert_similarity
from pipeline.preprocessing.base import Reference

log = logging.getLogger(__name__)
Number = TypeVar("Number", np.uint8, np.float32)

MAX_SIDE = 1920
"""Pixels of a video's longer side. Larger pictures are scaled down, because few players show larger videos."""
FADE = 0.22
"""Distance from the crop's edges over which the paint fades in, as a share of the crop's side. Near its edges the crop
shows hair, collar and background, which the photograph shows better."""


@dataclass(frozen=True)
class Photograph:
    """A `View` of the whole picture, with VG-net's paint blended into it.

    A frame is A C + (1 - A) reference, with colour C and attention A (Chen et al., CVPR 2019, section 3.3). Here the
    photograph replaces the reference at its full resolution: what is not painted stays as sharp as it was, and nothing
    changes outside the crop.
    """

    picture_HWC: NDArray[np.uint8]
    """RGB, both sides even, as H.264 requires."""
    corner: tuple[int, int]
    """Left and top of the region of the picture that the crop covers."""
    onto_2x3: NDArray[np.float64]
    """Transform from that region's pixels to the crop's."""
    crop: int
    """Side of the crop in pixels."""
    mask_HW: NDArray[np.float32]
    """Weight of the paint in that region, 0 to 1."""
    points_68x2: NDArray[np.float64]
    """The face's points in pixels of the picture."""

    @classmethod
    def of(cls, picture_HWC: NDArray[np.uint8], reference: Reference) -> "Photograph":
        """Prepare the view of an RGB picture and the reference that was cropped from it."""
        assert reference.source_68x2 is not None, "the reference was cropped from a picture"
        height, width = picture_HWC.shape[:2]
        size = shown_size(width, height)
        points_68x2 = np.asarray(reference.source_68x2, np.float64)
        if max(width, height) > MAX_SIDE:
            log.warning("The picture is %d pixels wide and %d high, and the video %d and %d.", width, height, *size)
            picture_HWC = np.asarray(cv2.resize(picture_HWC, size, interpolation=cv2.INTER_AREA), np.uint8)
            factors = np.array(size) / (width, height)
            points_68x2 = (points_68x2 + 0.5) * factors - 0.5
        picture_HWC = np.ascontiguousarray(picture_HWC[: size[1], : size[0]])
        side = reference.image_HWC.shape[0]
        onto = fit_similarity(points_68x2, reference.points_68x2)
        corners = np.array([[0, 0], [0, side], [side, 0], [side, side]]) - 0.5
        reach = corners @ invert_similarity(onto)[:, :2].T + invert_similarity(onto)[:, 2]
        left, top = np.clip(np.floor(reach.min(axis=0)).astype(int), 0, np.array(size) - 1)
        right, bottom = np.clip(np.ceil(reach.max(axis=0)).astype(int) + 1, (left + 1, top + 1), size)
        onto[:, 2] += onto[:, :2] @ (left, top)
        mask = _warped(_fade(side), onto, (right - left, bottom - top))
        return cls(picture_HWC, (int(left), int(top)), onto, side, mask, points_68x2)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its frames."""
        height, width = self.picture_HWC.shape[:2]
        return width, height

    @property
    def face(self) -> tuple[NDArray[np.float64], float]:
        """The centre of the crop and its side, in pixels of a frame."""
        back, side = invert_similarity(self.onto_2x3), self.crop
        middle = back[:, :2] @ np.full(2, (side - 1) / 2) + back[:, 2] + self.corner
        return middle, side * float(np.hypot(*back[:, 0]))

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """Implements `View`."""
        for chunk in painted:
            for t, (attention_HW, colour_HWC) in enumerate(zip(chunk.attention_THW, chunk.colour_THWC, strict=True)):
                frame_HWC = self.with_paint(attention_HW, colour_HWC)
                if chunk.blinks and chunk.blinks.closed_T[t] > 0:
                    share = float(chunk.blinks.closed_T[t])
                    close_lids(frame_HWC, self.picture_HWC, self.points_68x2, chunk.blinks.skin, share)
                yield frame_HWC

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """Implements `View`."""
        back = invert_similarity(self.onto_2x3)
        return np.asarray(points_T68x2 @ back[:, :2].T + back[:, 2] + self.corner, np.float32)

    def with_paint(self, attention_HW: NDArray[np.float32], colour_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a frame (H, W, 3): the picture with the colours (size, size, 3) blended in by the attention."""
        frame = self.picture_HWC.copy()
        x, y, columns, rows = cv2.boundingRect((attention_HW > 0).astype(np.uint8))
        if not columns:
            return frame
        # Only this part of the picture changes.
        back = invert_similarity(self.onto_2x3)
        corners = np.array([[x - 1, y - 1], [x + columns, y - 1], [x - 1, y + rows], [x + columns, y + rows]])
        reach, most = corners @ back[:, :2].T + back[:, 2], self.mask_HW.shape[::-1]
        left, top = np.clip(np.floor(reach.min(axis=0)).astype(int), 0, most)
        right, bottom = np.clip(np.ceil(reach.max(axis=0)).astype(int) + 1, (left, top), most)
        if right == left or bottom == top:
            return frame
        onto, size = self.onto_2x3.copy(), (int(right - left), int(bottom - top))
        onto[:, 2] += onto[:, :2] @ (left, top)
        share = _warped(attention_HW, onto, size) * self.mask_HW[top:bottom, left:right]
        paint = _warped(colour_HWC, onto, size, cv2.INTER_CUBIC)
        corner_x, corner_y = self.corner
        place = frame[corner_y + top : corner_y + bottom, corner_x + left : corner_x + right]
        # blendLinear divides by the sum of both weights, which is 1 here.
        place[:] = cv2.blendLinear(paint, np.ascontiguousarray(place), share, 1.0 - share)
        return frame


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of a picture's video: the picture's, at most `MAX_SIDE`, and even."""
    scale = min(1.0, MAX_SIDE / max(height, width))
    return max(2, 2 * int(width * scale / 2)), max(2, 2 * int(height * scale / 2))


def _fade(side: int) -> NDArray[np.float32]:
    """Return the crop's mask (side, side): 1 inside, falling smoothly to 0 at the edges."""
    from_middle = np.abs((np.arange(side) + 0.5) / side - 0.5)
    inwards = np.clip((0.5 - from_middle) / FADE, 0, 1)
    slope = inwards**2 * (3 - 2 * inwards)
    return np.outer(slope, slope).astype(np.float32)


def _warped(
    image: NDArray[Number], onto_2x3: NDArray[np.float64], size: tuple[int, int], how: int = cv2.INTER_LINEAR
) -> NDArray[Number]:
    """Transform a picture of the crop to the region of the photograph; 0 outside the crop."""
    return np.asarray(cv2.warpAffine(image, onto_2x3, size, flags=how | cv2.WARP_INVERSE_MAP), image.dtype)
