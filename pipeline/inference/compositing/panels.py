"""Panels: landmarks, attention, colour and result side by side."""

# ruff: noqa: D102  # `View` documents the methods
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE, rescale
from pipeline.inference.compositing.base import Painted, View
from pipeline.landmarks.points import OUTLINES
from pipeline.preprocessing.base import Reference

PANEL = 256
"""Side of a panel in pixels."""
LABEL_HEIGHT = 18
NAMES = ("landmarks", "attention", "colour", "result")


class Panels(View):
    """A `View` like the figure in the original's README. ``side`` is that of the networks' crops in pixels."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.size = len(NAMES) * PANEL, PANEL + LABEL_HEIGHT

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        for chunk in painted:
            for t, points_68x2 in enumerate(chunk.points_T68x2):
                pictures = (
                    draw_landmarks(points_68x2, self.side, PANEL // self.side),
                    enlarge(heat(chunk.attention_THW[t])),
                    enlarge(chunk.colour_THWC[t]),
                    enlarge(chunk.frames_THWC[t]),
                )
                yield np.hstack([label(picture, name) for picture, name in zip(pictures, NAMES, strict=True)])

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        shift = np.array([(len(NAMES) - 1) * PANEL, LABEL_HEIGHT])
        return np.asarray(rescale(points_T68x2, self.side, PANEL) + shift, np.float32)


def draw_landmarks(points_68x2: NDArray[np.floating], size: int = SIZE, scale: int = 1) -> NDArray[np.uint8]:
    """Draw the points of a crop of ``size`` pixels as white lines on black, (size * scale, size * scale, 3)."""
    canvas = np.zeros((size * scale, size * scale, 3), np.uint8)
    # 4 fractional bits, so that small movements show
    lines = np.round(points_68x2 * scale * 16).astype(np.int32)
    for part, closed in OUTLINES.values():
        cv2.polylines(canvas, [lines[part]], closed, (255, 255, 255), 1, cv2.LINE_AA, shift=4)
    return canvas


def heat(attention_HW: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw an attention map, 0 to 1, in RGB colours."""
    coloured = cv2.applyColorMap((attention_HW * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def label(image_HWC: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Add a line of text above the picture."""
    bar = np.full((LABEL_HEIGHT, image_HWC.shape[1], 3), 24, np.uint8)
    cv2.putText(bar, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (230, 230, 230), 1, cv2.LINE_AA)
    return np.vstack([bar, image_HWC])


def enlarge(image_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize the picture to ``PANEL`` pixels a side."""
    return np.asarray(cv2.resize(image_HWC, (PANEL, PANEL), interpolation=cv2.INTER_CUBIC), np.uint8)
