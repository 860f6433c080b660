"""dlib's face detector and 68-point predictor, made once a process."""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

FINE = 500
"""Side in pixels to which a face is enlarged before its points are predicted."""


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


def detect_faces(frame_HWC: NDArray[np.uint8], upsample: int = 0) -> list[Box]:
    """All frontal faces of an RGB frame, best first. Faces under 80 px need ``upsample=1``, which takes four times as
    long.
    """
    rectangles, scores, _ = _detector().run(frame_HWC, upsample, 0.0)
    return [
        Box(one.left(), one.top(), one.right(), one.bottom(), float(score))
        for one, score in zip(rectangles, scores, strict=True)
    ]


def predict_landmarks(frame_HWC: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    """The 68 points (68, 2) of the face in ``box``, x and y in pixels of the frame, to fractions of a pixel.

    dlib rounds points to whole pixels, which at 128x128 is as much as lips move between frames. So it is shown the
    face's surroundings enlarged to at least ``FINE`` pixels, where a whole pixel is a fraction of ours.
    """
    side = max(box.right - box.left, box.bottom - box.top, 1.0)
    factor = max(1, int(np.ceil(FINE / side)))
    # The predictor looks at pixels around the box; half of its side about it holds them all.
    height, width = frame_HWC.shape[:2]
    left, top = max(0, int(box.left - side / 2)), max(0, int(box.top - side / 2))
    right, bottom = min(width, int(box.right + side / 2)), min(height, int(box.bottom + side / 2))
    if right <= left or bottom <= top:
        left, top, right, bottom = 0, 0, width, height
    grey = cv2.transform(frame_HWC[top:bottom, left:right], np.full((1, 3), 1 / 3))  # the intensity dlib itself takes
    if factor > 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    corners = (box.left - left, box.top - top, box.right - left, box.bottom - top)
    shape = _predictor()(grey, dlib.rectangle(*(round(corner * factor) for corner in corners)))
    points = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)
    # Pixel centres lie at (x + 0.5) * factor - 0.5 of the enlarged picture.
    return (points + np.float32(0.5)) / np.float32(factor) - np.float32(0.5) + np.array([left, top], np.float32)
