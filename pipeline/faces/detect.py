"""dlib's face detector and 68-point predictor, made once a process."""

import importlib.util
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

FINE = 300
"""Side in pixels to which a face is enlarged before its points are predicted."""

_WINDOW = 73  # side of a box on the level of the pyramid where it was found

# dlib compares single pixels of (red + green + blue) // 3; one level more or less moves a third of its points.
_INTENSITY = np.array([[1 / 3, 1 / 3, 1 / 3, -1 / 3]])
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


def _model_file(name: str) -> Path:
    # Importing the package needs pkg_resources, which newer setuptools no longer has; its folder is all we want.
    spec = importlib.util.find_spec("face_recognition_models")
    assert spec is not None, "face_recognition_models is a declared dependency"
    assert spec.origin is not None
    return Path(spec.origin).parent / "models" / name


def shape_predictor_path() -> Path:
    """The 68-point model (Sagonas et al. 2016; Kazemi and Sullivan 2014)."""
    return _model_file("shape_predictor_68_face_landmarks.dat")


@lru_cache(maxsize=1)
def _detector() -> Any:
    return dlib.get_frontal_face_detector()


@lru_cache(maxsize=1)
def _predictor() -> Any:
    return dlib.shape_predictor(str(shape_predictor_path()))


def detect_faces(frame_HWC: NDArray[np.uint8], skip: int = 0) -> list[Box]:
    """All frontal faces of an RGB frame, best first; of 40 px and more, as dlib finds them with an upsampling of 1.

    ``skip`` leaves out so many of the finest levels of dlib's pyramid: each makes the smallest face that is found a
    fifth larger and takes a third off the time. Boxes of the faces that are found are the same to the pixel.
    """
    rows, columns = frame_HWC.shape[:2]
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


def predict_landmarks(frame_HWC: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    """The 68 points (68, 2) of the face in ``box``, x and y in pixels of the frame, to fractions of a pixel.

    dlib rounds points to whole pixels, which at 128x128 is as much as lips move between frames. So it is shown the
    face with every pixel repeated until the face has ``FINE`` pixels: what it sees stays the same, and a whole pixel
    is a fraction of ours. Rounded, the points are dlib's own but for a tie here and there.
    """
    side = max(box.right - box.left, box.bottom - box.top, 1.0)
    factor = 2 * math.ceil((FINE / side - 1) / 2) + 1 if side < FINE else 1  # odd: a pixel has a middle pixel
    # The predictor looks at pixels around the box; a quarter of its side about it holds them all.
    height, width = frame_HWC.shape[:2]
    left, top = max(0, int(box.left - side / 4)), max(0, int(box.top - side / 4))
    right, bottom = min(width, int(box.right + side / 4)), min(height, int(box.bottom + side / 4))
    if right <= left or bottom <= top:
        left, top, right, bottom = 0, 0, width, height
    grey = cv2.transform(frame_HWC[top:bottom, left:right], _INTENSITY)
    if factor > 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    corners = (box.left - left, box.top - top, box.right - left, box.bottom - top)
    shape = _predictor()(grey, dlib.rectangle(*(round((corner + 0.5) * factor - 0.5) for corner in corners)))
    points = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)
    return (points + np.float32(0.5)) / np.float32(factor) - np.float32(0.5) + np.array([left, top], np.float32)
