"""The whole picture, with the generated face blended back into it."""

# ruff: noqa: D102  # `View` documents the methods
import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.compositing.lids import close_lids
from pipeline.inference.compositing.texture import SMALLEST_SCALE, Texture
from pipeline.landmarks.similarity import fit_similarity, invert_similarity
from pipeline.preprocessing.base import Reference

log = logging.getLogger(__name__)
Number = TypeVar("Number", np.uint8, np.float32)

MAX_SIDE = 1920
"""Pixels of a video's longer side. Larger pictures are scaled down, because few players show larger videos."""
FADE = 0.22
"""Distance from the crop's edges over which the paint fades in, as a share of the crop's side. Near its edges the crop
shows hair, collar and background, which the photograph shows better."""


class Photograph(View):
    """A `View` of the whole picture, with VG-net's paint blended into it.

    A frame is A C + (1 - A) reference, with colour C and attention A (Chen et al., CVPR 2019, section 3.3). Here the
    photograph replaces the reference at its full resolution: what is not painted stays as sharp as it was, and nothing
    changes outside the crop.
    """

    def __init__(self, picture_HWC: NDArray[np.uint8], reference: Reference) -> None:
        """Prepare the view of an RGB picture and the reference that was cropped from it."""
        assert reference.source_68x2 is not None, "the reference was cropped from a picture"
        height, width = picture_HWC.shape[:2]
        self.size = shown_size(width, height)
        self.points_68x2 = np.asarray(reference.source_68x2, np.float64)
        if max(width, height) > MAX_SIDE:
            log.warning(
                "The picture is %d pixels wide and %d high, and the video %d and %d.", width, height, *self.size
            )
            picture_HWC = np.asarray(cv2.resize(picture_HWC, self.size, interpolation=cv2.INTER_AREA), np.uint8)
            self.points_68x2 = (self.points_68x2 + 0.5) * (np.array(self.size) / (width, height)) - 0.5
        self.picture_HWC = np.ascontiguousarray(picture_HWC[: self.size[1], : self.size[0]])
        side = reference.image_HWC.shape[0]
        onto_2x3 = fit_similarity(self.points_68x2, reference.points_68x2)
        back_2x3 = invert_similarity(onto_2x3)
        left, top, right, bottom = _region(back_2x3, (-0.5, -0.5, side - 0.5, side - 0.5), self.size)
        self.corner = left, top  # of the region of the picture that the crop covers
        self.onto_2x3 = _from(onto_2x3, left, top)  # from that region's pixels to the crop's
        self.back_2x3 = invert_similarity(self.onto_2x3)
        scale = float(np.hypot(*self.back_2x3[:, 0]))  # pixels of the picture per pixel of the crop
        region_HWC = self.picture_HWC[top:bottom, left:right]
        self.texture = Texture(region_HWC, reference, self.onto_2x3) if scale >= SMALLEST_SCALE else None
        self.mask_HW = _warped(_fade(side), self.onto_2x3, (right - left, bottom - top))  # weight of the paint, 0 to 1
        self.face = (  # the centre of the crop and its side, in pixels of a frame
            self.back_2x3[:, :2] @ np.full(2, (side - 1) / 2) + self.back_2x3[:, 2] + self.corner,
            side * scale,
        )

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        for chunk in painted:
            motions = None if self.texture is None else self.texture.motions(chunk.points_T68x2)
            for t, (attention_HW, colour_HWC) in enumerate(zip(chunk.attention_THW, chunk.colour_THWC, strict=True)):
                frame_HWC = self.with_paint(attention_HW, colour_HWC, None if motions is None else motions[t])
                if chunk.closed_T is not None and chunk.closed_T[t] > 0:
                    close_lids(frame_HWC, self.picture_HWC, self.points_68x2, chunk.skin, float(chunk.closed_T[t]))
                yield frame_HWC

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        return np.asarray(points_T68x2 @ self.back_2x3[:, :2].T + self.back_2x3[:, 2] + self.corner, np.float32)

    def with_paint(
        self,
        attention_HW: NDArray[np.float32],
        colour_HWC: NDArray[np.uint8],
        motion_HW2: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """Return a frame (H, W, 3): the picture with the colours (size, size, 3) blended in by the attention.

        With ``motion_HW2`` (`Texture.motions`), the colours have the picture's own detail.
        """
        frame = self.picture_HWC.copy()
        x, y, columns, rows = cv2.boundingRect((attention_HW > 0).astype(np.uint8))
        if not columns:
            return frame
        # Only this part of the picture changes.
        height, width = self.mask_HW.shape
        left, top, right, bottom = _region(self.back_2x3, (x - 1, y - 1, x + columns, y + rows), (width, height))
        onto_2x3, size = _from(self.onto_2x3, left, top), (right - left, bottom - top)
        share = _warped(attention_HW, onto_2x3, size) * self.mask_HW[top:bottom, left:right]
        paint = _warped(colour_HWC, onto_2x3, size, cv2.INTER_CUBIC)
        if self.texture is not None and motion_HW2 is not None:
            paint = self.texture.add(paint, colour_HWC, motion_HW2, (left, top))
        corner_x, corner_y = self.corner
        place = frame[corner_y + top : corner_y + bottom, corner_x + left : corner_x + right]
        # blendLinear divides by the sum of both weights, which is 1 here.
        place[:] = cv2.blendLinear(paint, np.ascontiguousarray(place), share, 1.0 - share)
        return frame


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of a picture's video: the picture's, at most `MAX_SIDE`, and even."""
    scale = min(1.0, MAX_SIDE / max(height, width))
    return max(2, 2 * int(width * scale / 2)), max(2, 2 * int(height * scale / 2))


def _region(
    back_2x3: NDArray[np.float64], box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Transform a box, and return the left, top, right and bottom of the pixels it reaches: at least one."""
    x, y = np.meshgrid(box[::2], box[1::2])
    reach = np.stack([x.ravel(), y.ravel()], axis=1) @ back_2x3[:, :2].T + back_2x3[:, 2]
    left, top = np.clip(np.floor(reach.min(axis=0)).astype(int), 0, np.array(size) - 1).tolist()
    right, bottom = np.clip(np.ceil(reach.max(axis=0)).astype(int) + 1, (left + 1, top + 1), size).tolist()
    return left, top, right, bottom


def _from(onto_2x3: NDArray[np.float64], left: int, top: int) -> NDArray[np.float64]:
    """Return the transform for pixels that are counted from ``left`` and ``top``."""
    return np.column_stack([onto_2x3[:, :2], onto_2x3[:, 2] + onto_2x3[:, :2] @ (left, top)])


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
