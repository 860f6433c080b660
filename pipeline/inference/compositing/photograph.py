"""The whole picture, with a face that speaks."""

# ruff: noqa: D102  # `View` documents the methods
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.compositing.lids import close_lids
from pipeline.inference.compositing.moved_picture import MovedPicture
from pipeline.inference.compositing.pixels import reach
from pipeline.inference.compositing.teeth import Teeth
from pipeline.landmarks.similarity import apply_similarity, fit_similarity
from pipeline.preprocessing.base import Reference

MAX_SIDE = 1920
"""Pixels of a video's longer side. Larger pictures are scaled down, because few players show larger videos."""
FADE = 0.22
"""Distance from the crop's edges over which the movement fades in, as a share of the crop's side. Near its edges the
crop shows hair, collar and background."""


class Photograph(View):
    """A `View` of the whole picture. Nothing changes outside the crop.

    Lips and skin are the picture's own pixels, moved with the landmarks (`MovedPicture`). VG-net paints the inside of
    the mouth: A C + (1 - A) reference, with colour C and attention A (Chen et al., CVPR 2019, section 3.3).
    """

    def __init__(self, picture_HWC: NDArray[np.uint8], reference: Reference, teeth: Teeth | None = None) -> None:
        """Prepare the view of an RGB picture and the reference that was cropped from it.

        ``teeth`` are the person's own, in pixels of the picture; None shows those that VG-net paints.
        """
        assert reference.source_68x2 is not None, "the reference was cropped from a picture"
        height, width = picture_HWC.shape[:2]
        self.size, self.teeth = shown_size(width, height), teeth
        self.points_68x2 = np.asarray(reference.source_68x2, np.float64)
        if max(width, height) > MAX_SIDE:
            picture_HWC = np.asarray(cv2.resize(picture_HWC, self.size, interpolation=cv2.INTER_AREA), np.uint8)
            self.points_68x2 = (self.points_68x2 + 0.5) * (np.array(self.size) / (width, height)) - 0.5
        self.picture_HWC = np.ascontiguousarray(picture_HWC[: self.size[1], : self.size[0]])
        side = reference.image_HWC.shape[0]
        self.reference = reference
        self.moved = MovedPicture(self.picture_HWC, reference, fit_similarity(self.points_68x2, reference.points_68x2))
        self.back_2x3 = self.moved.back_2x3
        self.window = reach(self.back_2x3, (-0.5, -0.5, side - 0.5, side - 0.5), self.size)  # what the crop covers
        self.fade_HW = _fade(side)
        self.face = (  # the centre of the crop and its side, in pixels of a frame
            apply_similarity(self.back_2x3, np.full(2, (side - 1) / 2)),
            side * float(np.hypot(*self.back_2x3[:, 0])),
        )

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        for chunk in painted:
            points_T68x2 = self.moved.inside.part_lips(chunk.points_T68x2)
            motions = self.moved.motions(points_T68x2)
            for t, points_68x2 in enumerate(points_T68x2):
                share_HW = self.fade_HW if chunk.moving_THW is None else self.fade_HW * chunk.moving_THW[t]
                frame_HWC = self.picture_HWC.copy()
                if share_HW.any():
                    painted_HWC = chunk.frames_THWC[t]
                    window, part_HWC, inside_HW = self.moved.part(painted_HWC, points_68x2, motions[t], share_HW)
                    if self.teeth is not None:
                        part_HWC = self.teeth.draw(part_HWC, inside_HW, window)
                    frame_HWC[window.part] = part_HWC
                if chunk.closed_T is not None and chunk.closed_T[t] > 0:
                    close_lids(frame_HWC, self.picture_HWC, self.points_68x2, chunk.skin, float(chunk.closed_T[t]))
                yield frame_HWC

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        return apply_similarity(self.back_2x3, points_T68x2).astype(np.float32)


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of a picture's video: the picture's, at most `MAX_SIDE`, and even."""
    scale = min(1.0, MAX_SIDE / max(height, width))
    return max(2, 2 * int(round(width * scale, 6) / 2)), max(2, 2 * int(round(height * scale, 6) / 2))


def _fade(side: int) -> NDArray[np.float32]:
    """Return the crop's mask (side, side): 1 inside, falling smoothly to 0 at the edges."""
    from_middle = np.abs((np.arange(side) + 0.5) / side - 0.5)
    inwards = np.clip((0.5 - from_middle) / FADE, 0, 1)
    slope = inwards**2 * (3 - 2 * inwards)
    return np.outer(slope, slope).astype(np.float32)
