"""Whose clip it is, or whose picture, where several faces are seen.

A face that is whole and seen from the front comes before one that is turned to the side, and that before one which the
picture's edge cuts; among equals the rule decides. ``left`` and ``right`` name a face, and take it as it is. Faces much
smaller than the largest do not compete.
"""

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule, WhichFace
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, share_outside, to_crop
from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.frontal import measure_frontal
from pipeline.faces.shape_predictor import predict_landmarks

SMALL = 80.0
"""Sides of a face's box in pixels; smaller faces are searched for only where none of the larger ones is whole and seen
from the front."""
TURNED = 0.3
"""A face that is less frontal is turned to the side."""
SURE = 0.3
"""Scores of the detector below which it may be wrong."""
MINOR = 0.25
"""Faces under this share of the largest one's area are beside the point."""


class Candidate(Protocol):
    """A face among others, in one picture or through a clip."""

    @property
    def area(self) -> float:
        """Of its box, in square pixels."""

    @property
    def weight(self) -> float:
        """How much it counts by the rule."""

    @property
    def whole(self) -> bool:
        """Whether its points lie in the picture."""

    @property
    def frontal(self) -> float:
        """As `measure_frontal`."""


Competing = TypeVar("Competing", bound=Candidate)


def choose(faces: list[Competing], rule: FaceRule) -> Competing:
    """The one that is meant, of one or more."""
    if rule in ("left", "right"):
        return max(faces, key=lambda face: face.weight)
    largest = max(face.area for face in faces)
    major = [face for face in faces if face.area >= MINOR * largest]
    return max(major, key=lambda face: (face.whole, face.whole and face.frontal >= TURNED, face.weight))


def weight(rule: FaceRule, box: Box, size: tuple[int, int]) -> float:
    """How much a face in ``box`` counts in one frame of ``size`` (width, height), above 0.

    Summed over the frames in which a face is seen, so that of equal faces the steadiest one counts most.
    """
    width, height = size
    x = (box.left + box.right) / width / 2
    y = (box.top + box.bottom) / height / 2
    central = 1.0 - 0.5 * min(1.0, float(np.hypot(2 * x - 1, 2 * y - 1)))  # 1 in the middle, 0.5 at the edge
    weights = {
        "prominent": box.area * central,
        "largest": box.area,
        "central": (central - 0.5) ** 2,
        "left": 1.0 - x,
        "right": x,
    }
    return max(float(weights[rule]), 1e-6)


def is_whole(points_T68x2: NDArray[np.floating], size: tuple[int, int]) -> bool:
    """Whether the points lie in a picture of ``size`` (width, height) in most frames."""
    inside = (points_T68x2 >= 0).all(axis=(1, 2)) & (points_T68x2 <= np.array(size) - 1).all(axis=(1, 2))
    return bool(np.median(inside) > 0)


def frontal(points_T68x2: NDArray[np.floating]) -> float:
    """`measure_frontal` of faces that are not upright yet."""
    points = np.asarray(points_T68x2, np.float32)
    return measure_frontal(to_crop(points, align(points, per_frame=True, smoothing=0.0)))


@dataclass(frozen=True)
class Choice:
    """The face of a picture, and what speaks for and against it; a `Candidate`."""

    box: Box
    points_68x2: NDArray[np.float32]
    """In pixels of the picture."""
    weight: float
    whole: bool
    frontal: float
    outside: float
    """The share of its crop that lies beyond the picture."""
    faces: int
    """How many were found in the picture."""

    @property
    def area(self) -> float:
        """As `Candidate`."""
        return self.box.area


def choose_face(
    image_HWC: NDArray[np.uint8], rule: WhichFace = "prominent", grey_HW: NDArray[np.uint8] | None = None
) -> Choice | None:
    """The face of an RGB picture; None where none is found, or not so many.

    ``grey_HW`` is what the detector is shown in place of it, where given: now and then its boxes differ.
    """
    if isinstance(rule, int):
        faces = sorted(_faces(image_HWC, "left", 0, grey_HW), key=lambda face: face.box.left + face.box.right)
        return faces[rule - 1] if 0 < rule <= len(faces) else None
    faces = _faces(image_HWC, rule, levels_above(SMALL), grey_HW)
    if not any(face.whole and face.frontal >= TURNED for face in faces):
        faces = _faces(image_HWC, rule, 0, grey_HW)
    return choose(faces, rule) if faces else None


def _faces(image_HWC: NDArray[np.uint8], rule: FaceRule, skip: int, grey_HW: NDArray[np.uint8] | None) -> list[Choice]:
    boxes = detect_faces(image_HWC if grey_HW is None else grey_HW, skip)
    points = predict_landmarks([image_HWC] * len(boxes), boxes)
    size = (image_HWC.shape[1], image_HWC.shape[0])
    found, sure = [], []
    for box, points_68x2 in zip(boxes, points, strict=True):
        transform = align(points_68x2[None], per_frame=True, smoothing=0.0)[0]
        whole = is_whole(points_68x2[None], size)
        outside = share_outside(transform, size)
        face = Choice(box, points_68x2, weight(rule, box, size), whole, frontal(points_68x2[None]), outside, 1)
        found.append(face)
        # What passes for a weak face is one when it is found again upright; one that an edge cuts is always weak.
        if box.score >= SURE or not whole or detect_faces(crop_face(image_HWC, transform)):
            sure.append(face)
    return [replace(face, faces=len(sure or found)) for face in sure or found]
