"""dlib's face detector, made once per thread."""

import math
import threading
from dataclasses import dataclass
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray

from pipeline.media.limits import LONGEST
from pipeline.runtime.errors import PipelineError

_WINDOW = 73  # side of a box on the level of the pyramid where it was found

_DOUBLE = dlib.pyramid_down(2)
_LEVEL = dlib.pyramid_down(6)


@dataclass(frozen=True)
class Box:
    """A detected face in source pixels; ``score`` is the detector's, above 0 and seldom above 3."""

    left: float
    top: float
    right: float
    bottom: float
    score: float = 0.0

    @property
    def area(self) -> float:
        """In square pixels."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.area + other.area - shared) if shared else 0.0


_own = threading.local()  # it keeps the picture that it searches, and dlib lets other threads run meanwhile


def _detector() -> Any:
    if not hasattr(_own, "detector"):
        _own.detector = dlib.get_frontal_face_detector()
    return _own.detector


def detect_faces(frame_HWC: NDArray[np.uint8], skip: int = 0) -> list[Box]:
    """All frontal faces of an RGB frame, or of a grey one (H, W), best first.

    Of 40 px and more, as dlib finds them with an upsampling of 1.

    ``skip`` leaves out so many of the finest levels of dlib's pyramid: each makes the smallest face that is found a
    fifth larger and takes a third off the time. Boxes of the faces that are found are the same to the pixel.

    Raises PipelineError for a side of more than 16,384 pixels: dlib would write past its memory.
    """
    rows, columns = frame_HWC.shape[:2]
    if max(rows, columns) > LONGEST:
        raise PipelineError(
            f"A picture of {columns}x{rows} pixels is too long to search: give {LONGEST} a side at most."
        )
    whole = _DOUBLE.rect_up(dlib.rectangle(0, 0, columns - 1, rows - 1))
    picture = dlib.resize_image(np.ascontiguousarray(frame_HWC), whole.bottom() + 1, whole.right() + 1)
    for _ in range(skip):
        picture = _LEVEL(picture)
    rectangles, scores, _ = _detector().run(picture, 0, 0.0)
    boxes = []
    for one, score in zip(rectangles, scores, strict=True):
        # dlib rounds a box once, on the way up from the level it was seen on; so it has to go back there first.
        level = round(math.log(one.width() / _WINDOW, 1.2))
        found = _DOUBLE.rect_down(_LEVEL.rect_up(_LEVEL.rect_down(one, level), level + skip) if skip else one)
        boxes.append(Box(found.left(), found.top(), found.right(), found.bottom(), float(score)))
    return boxes


def levels_above(side: float) -> int:
    """How many levels of the pyramid hold nothing but faces smaller than ``side`` px: what ``skip`` may be for it."""
    return max(0, math.floor(math.log(max(side, 1.0) / 40, 1.2)))
