"""The whole picture that a face was cropped from, with the generated face laid back into it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.lids import close_lids
from pipeline.inference.preprocessing.base import Reference
from pipeline.landmarks.similarity import fit_similarity, invert_similarity

log = logging.getLogger(__name__)
Number = TypeVar("Number", np.uint8, np.float32)

LONGEST = 1920
"""Pixels of the longer side of a video: larger pictures are shown smaller, since few players show larger videos."""
FADE = 0.22
"""The part of the crop's side, from each edge inwards, over which what is painted fades in: the crop's corners and
edges show hair, collar and background, of which the photograph knows more."""


@dataclass(frozen=True)
class Photograph:
    """As `View`: the whole picture, with what VG-net paints of the face laid back into it.

    A frame is A C + (1 - A) reference, of the paint C and its attention A (Chen et al., CVPR 2019, section 3.3). Here
    the photograph itself takes the reference's place, in all its pixels: what is not painted stays as sharp as it was,
    and outside the crop nothing changes.
    """

    picture_HWC: NDArray[np.uint8]
    """RGB, both sides even, as H.264 takes them."""
    corner: tuple[int, int]
    """Left and top of the part of the picture that the crop covers."""
    onto_2x3: NDArray[np.float64]
    """From that part's pixels to the crop's."""
    crop: int
    """Pixels along the crop's side."""
    mask_HW: NDArray[np.float32]
    """Of that part, how much of the paint counts, 0 to 1."""
    points_68x2: NDArray[np.float64]
    """The face's points in pixels of the picture."""

    @classmethod
    def of(cls, picture_HWC: NDArray[np.uint8], reference: Reference) -> "Photograph":
        """From any RGB picture and the reference that was cropped from it."""
        assert reference.source_68x2 is not None, "the reference was cropped from a picture"
        height, width = picture_HWC.shape[:2]
        size = shown_size(width, height)
        points_68x2 = np.asarray(reference.source_68x2, np.float64)
        if max(width, height) > LONGEST:
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
        """The crop's middle in pixels of a frame, and the pixels along a side of it."""
        back, side = invert_similarity(self.onto_2x3), self.crop
        middle = back[:, :2] @ np.full(2, (side - 1) / 2) + back[:, 2] + self.corner
        return middle, side * float(np.hypot(*back[:, 0]))

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """As `View`."""
        for chunk in painted:
            for t, (attention_HW, colour_HWC) in enumerate(zip(chunk.attention_THW, chunk.colour_THWC, strict=True)):
                frame_HWC = self.with_paint(attention_HW, colour_HWC)
                if chunk.blinks and chunk.blinks.closed_T[t] > 0:
                    lids = chunk.blinks.skin, float(chunk.blinks.closed_T[t])
                    close_lids(frame_HWC, self.picture_HWC, self.points_68x2, *lids)
                yield frame_HWC

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """As `View`."""
        back = invert_similarity(self.onto_2x3)
        return np.asarray(points_T68x2 @ back[:, :2].T + back[:, 2] + self.corner, np.float32)

    def with_paint(self, attention_HW: NDArray[np.float32], colour_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame (H, W, 3): the picture with what VG-net painted of the face, (size, size, 3), where it attends."""
        frame = self.picture_HWC.copy()
        x, y, columns, rows = cv2.boundingRect((attention_HW > 0).astype(np.uint8))
        if not columns:
            return frame
        # Only the part of the picture that shows what is painted.
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
        # OpenCV divides by the sum of both weights and leaves 0 of what has none: that sum is 1 here.
        place[:] = cv2.blendLinear(paint, np.ascontiguousarray(place), share, 1.0 - share)
        return frame


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Of a video of a picture: its own, at most `LONGEST`, and even."""
    scale = min(1.0, LONGEST / max(height, width))
    return max(2, 2 * int(width * scale / 2)), max(2, 2 * int(height * scale / 2))


def _fade(side: int) -> NDArray[np.float32]:
    """The crop's mask (side, side): 1 inside, 0 with no slope along the edges."""
    from_middle = np.abs((np.arange(side) + 0.5) / side - 0.5)
    inwards = np.clip((0.5 - from_middle) / FADE, 0, 1)
    slope = inwards**2 * (3 - 2 * inwards)
    return np.outer(slope, slope).astype(np.float32)


def _warped(
    image: NDArray[Number], onto_2x3: NDArray[np.float64], size: tuple[int, int], how: int = cv2.INTER_LINEAR
) -> NDArray[Number]:
    """A crop's picture as the part of the photograph shows it; beyond the crop 0."""
    return np.asarray(cv2.warpAffine(image, onto_2x3, size, flags=how | cv2.WARP_INVERSE_MAP), image.dtype)
