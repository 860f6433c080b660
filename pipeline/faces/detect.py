"""dlib's frontal face detector."""

import math
import threading
from dataclasses import dataclass
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray

from pipeline.media.upright import MAX_SIDE
from pipeline.runtime.errors import PipelineError

_MIN_FACE = 40  # px of the smallest face that is found
_BOX = 73  # side of every box at the pyramid level on which it was found
_LEVEL_SCALE = 1.2  # between two levels of the pyramid
_DOUBLE = dlib.pyramid_down(2)
_LEVEL = dlib.pyramid_down(6)


@dataclass(frozen=True)
class Box:
    """A detected face in source pixels."""

    left: float
    top: float
    right: float
    bottom: float
    score: float = 0.0
    """The detector's confidence, above 0 and rarely above 3."""

    @property
    def area(self) -> float:
        """Square pixels."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.area + other.area - shared) if shared else 0.0


_thread = threading.local()  # one detector per thread: it keeps the picture, and dlib releases the GIL


def _detector() -> Any:
    if not hasattr(_thread, "detector"):
        _thread.detector = dlib.get_frontal_face_detector()
    return _thread.detector


def detect_faces(frame_HWC: NDArray[np.uint8], skip: int = 0) -> list[Box]:
    """All frontal faces of 40 px and more in an RGB frame, or a grey one (H, W), best first.

    The result is dlib's with an upsampling of 1. ``skip`` leaves out this number of the finest levels of dlib's image
    pyramid. Each level makes the smallest face that is found a fifth larger and takes a third off the time. The boxes
    of the remaining faces do not change.

    Raises PipelineError for a side of more than 16,384 pixels, because dlib would write past its memory.
    """
    rows, columns = frame_HWC.shape[:2]
    if max(rows, columns) > MAX_SIDE:
        raise PipelineError(
            f"A picture of {columns}x{rows} pixels is too long to search: give {MAX_SIDE} a side at most."
        )
    doubled = _DOUBLE.rect_up(dlib.rectangle(0, 0, columns - 1, rows - 1))
    picture = dlib.resize_image(np.ascontiguousarray(frame_HWC), doubled.bottom() + 1, doubled.right() + 1)
    for _ in range(skip):
        picture = _LEVEL(picture)
    rectangles, scores, _ = _detector().run(picture, 0, 0.0)
    boxes = []
    for rectangle, score in zip(rectangles, scores, strict=True):
        if skip:  # dlib rounds a box once, on its way up from its level, so the box must go back there first
            level = round(math.log(rectangle.width() / _BOX, _LEVEL_SCALE))
            rectangle = _LEVEL.rect_up(_LEVEL.rect_down(rectangle, level), level + skip)
        box = _DOUBLE.rect_down(rectangle)
        boxes.append(Box(box.left(), box.top(), box.right(), box.bottom(), float(score)))
    return boxes


def levels_above(side: float) -> int:
    """The number of levels on which all faces are smaller than ``side`` px, for `detect_faces`' ``skip``."""
    return max(0, math.floor(math.log(max(side, 1.0) / _MIN_FACE, _LEVEL_SCALE)))
