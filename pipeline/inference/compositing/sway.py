"""Small, continuous head motion in a photograph."""

# ruff: noqa: D102  # `View` documents the methods
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.compositing.photograph import Photograph
from pipeline.preprocessing.base import Reference
from pipeline.runtime.clock import FPS

RATES = np.array([0.13, 0.29, 0.53])
"""Frequencies in Hz of the waves that make up the motion. Slower waves are larger."""
TURN, SHIFT = 0.9, 0.01
"""Largest tilt in degrees, and largest shift along an axis as a share of the crop's side."""
NEAR, FAR = 0.55, 1.3
"""Distances from the centre of the face, in sides of the crop. Up to the first everything moves together, beyond the
second nothing moves, and the picture between them is stretched."""


class Sway(View):
    """A `View` of a photograph whose head moves. Equal seeds give equal motion; the first frame is not moved."""

    def __init__(self, whole: Photograph, seed: int) -> None:
        self.whole, self.size = whole, whole.size
        self.middle, self.side = whole.face
        reach = FAR * self.side
        left, top = np.maximum(np.floor(self.middle - reach), 0).astype(int).tolist()
        right, bottom = np.minimum(np.ceil(self.middle + reach) + 1, self.size).astype(int).tolist()
        self.part = slice(top, bottom), slice(left, right)  # of the frame, which moves
        rows, columns = np.mgrid[self.part].astype(np.float32)
        distance = np.hypot(columns - self.middle[0], rows - self.middle[1]) / self.side
        inwards = np.clip((FAR - distance) / (FAR - NEAR), 0, 1)
        self.share_HW = (inwards**2 * (3 - 2 * inwards)).astype(np.float32)  # of the motion, for each pixel of the part
        # Of tilt, shift to the right and shift down.
        self.phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (3, len(RATES)))

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        return self.moved(self.whole.frames(painted))

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        still = self.whole.points(points_T68x2, first, reference)
        moved = []
        for number, points in enumerate(still, first):
            turn, right, down = self.at(number)
            forth = cv2.getRotationMatrix2D(tuple(self.middle.tolist()), -turn, 1.0)
            moved.append((points + np.array([right, down])) @ forth[:, :2].T + forth[:, 2])
        return np.asarray(moved, np.float32).reshape(-1, 68, 2)

    def at(self, number: int) -> tuple[float, float, float]:
        """Return tilt in degrees, and shift to the right and down in pixels, of a frame counted from 0."""
        weights = 1 / RATES / (1 / RATES).sum()
        waves = (np.sin(2 * np.pi * RATES * number / FPS + self.phases) - np.sin(self.phases)) @ weights / 2
        turn, right, down = (waves * (TURN, SHIFT * self.side, SHIFT * self.side)).tolist()
        return turn, right, down

    def moved(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Move the head in the frames of a video from the first on."""
        rows, columns = np.mgrid[self.part].astype(np.float32)
        for number, frame_HWC in enumerate(frames):
            turn, right, down = self.at(number)
            # The source of each pixel, by its share of the motion.
            back = cv2.getRotationMatrix2D(tuple(self.middle.tolist()), turn, 1.0).astype(np.float32)
            x = back[0, 0] * columns + back[0, 1] * rows + np.float32(back[0, 2] - right)
            y = back[1, 0] * columns + back[1, 1] * rows + np.float32(back[1, 2] - down)
            x, y = columns + self.share_HW * (x - columns), rows + self.share_HW * (y - rows)
            frame_HWC = frame_HWC.copy()
            frame_HWC[self.part] = cv2.remap(frame_HWC, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            yield frame_HWC
