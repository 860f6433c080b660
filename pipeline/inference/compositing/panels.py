"""What the networks do, side by side: landmarks, attention, paint and the frame that comes of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.compositing.base import Painted
from pipeline.inference.preprocessing.base import Preprocessing, Reference
from pipeline.landmarks.points import OUTLINES

PANEL = 256
"""Side in pixels of a picture in a video."""
LABEL_HEIGHT = 18
NAMES = ("landmarks", "attention", "colour", "result")


@dataclass(frozen=True)
class Panels:
    """As `View`: the picture of the original's README."""

    side: int
    """Of the networks' crops, in pixels."""
    preprocessing: Preprocessing

    @property
    def size(self) -> tuple[int, int]:
        """As `View`."""
        return len(NAMES) * PANEL, PANEL + LABEL_HEIGHT

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """As `View`."""
        for chunk in painted:
            points_T68x2 = self.preprocessing.place(chunk.landmarks_TL, chunk.reference.points_68x2)
            parts = (points_T68x2, chunk.attention_THW, chunk.colour_THWC, chunk.frames_THWC)
            for points, attention, colour, frame in zip(*parts, strict=True):
                drawn = draw_landmarks(points, self.side, PANEL // self.side)
                pictures = drawn, enlarge(heat(attention)), enlarge(colour), enlarge(frame)
                yield np.hstack([label(one, name) for one, name in zip(pictures, NAMES, strict=True)])

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """As `View`: those of the result."""
        shift = np.array([(len(NAMES) - 1) * PANEL, LABEL_HEIGHT])
        return np.asarray(rescale(points_T68x2, self.side, PANEL) + shift, np.float32)


def draw_landmarks(points_68x2: NDArray[np.floating], size: int = SIZE, scale: int = 1) -> NDArray[np.uint8]:
    """The points of a crop of ``size`` pixels as white lines on black, (size * scale, size * scale, 3)."""
    canvas = np.zeros((size * scale, size * scale, 3), np.uint8)
    # 4 fractional bits, so that small movements show
    lines = np.round(points_68x2 * scale * 16).astype(np.int32)
    for part, closed in OUTLINES.values():
        cv2.polylines(canvas, [lines[part]], closed, (255, 255, 255), 1, cv2.LINE_AA, shift=4)
    return canvas


def heat(attention_HW: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An attention map, 0 to 1, as RGB colours."""
    coloured = cv2.applyColorMap((attention_HW * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def label(image_HWC: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """The picture with a line of text above it."""
    bar = np.full((LABEL_HEIGHT, image_HWC.shape[1], 3), 24, np.uint8)
    cv2.putText(bar, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (230, 230, 230), 1, cv2.LINE_AA)
    return np.vstack([bar, image_HWC])


def enlarge(image_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with ``PANEL`` pixels a side."""
    return np.asarray(cv2.resize(image_HWC, (PANEL, PANEL), interpolation=cv2.INTER_CUBIC), np.uint8)
