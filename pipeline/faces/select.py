"""Which face to use of several: complete frontal ones first, then turned ones, then cut ones; then the rule decides.

The rules ``left`` and ``right`` use the face on that side as it is. Faces much smaller than the largest are ignored.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule, WhichFace
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, share_outside, to_crop
from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.landmarks.shape import frontality

SMALL = 80.0
"""Side in pixels of a face's box. Smaller faces are searched for only when no larger one is complete and frontal."""
TURNED = 0.3
"""A face with a lower `frontality` is turned to the side."""
SURE = 0.3  # detector scores below this may be false detections
MIN_AREA = 0.25
"""Faces with less than this share of the largest face's area are ignored."""


@dataclass(frozen=True)
class Candidate:
    """A face among others, in one picture or through a clip."""

    area: float
    """Square pixels of its box."""
    weight: float
    """How much it counts by the rule."""
    whole: bool
    """Whether its points lie in the picture."""
    frontal: float
    """Its `frontality`."""


Competing = TypeVar("Competing", bound=Candidate)


def choose(faces: list[Competing], rule: FaceRule) -> Competing:
    """The face to use, of one or more."""
    if rule in ("left", "right"):
        return max(faces, key=lambda face: face.weight)
    largest = max(face.area for face in faces)
    major = [face for face in faces if face.area >= MIN_AREA * largest]
    return max(major, key=lambda face: (face.whole, face.whole and face.frontal >= TURNED, face.weight))


def weight(rule: FaceRule, box: Box, size: tuple[int, int]) -> float:
    """How much a face in ``box`` counts in a frame of ``size`` (width, height), above 0. Clips sum it over frames."""
    x = (box.left + box.right) / size[0] / 2
    y = (box.top + box.bottom) / size[1] / 2
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
    """Whether all points lie in a picture of ``size`` (width, height) in most frames."""
    inside = (points_T68x2 >= 0).all(axis=(1, 2)) & (points_T68x2 <= np.array(size) - 1).all(axis=(1, 2))
    return bool(np.median(inside) > 0)


def frontal(points_T68x2: NDArray[np.floating]) -> float:
    """The `frontality` of faces that are not upright."""
    points = np.asarray(points_T68x2, np.float32)
    return frontality(to_crop(points, align(points, per_frame=True)))


@dataclass(frozen=True)
class ChosenFace(Candidate):
    """The chosen face of a picture."""

    box: Box
    points_68x2: NDArray[np.float32]
    """Points in pixels of the picture."""
    outside: float
    """Share of its crop outside the picture."""
    faces: int
    """Number of faces in the picture."""


def choose_face(
    image_HWC: NDArray[np.uint8], rule: WhichFace = "prominent", grey_HW: NDArray[np.uint8] | None = None
) -> ChosenFace | None:
    """The face of an RGB picture. A number as ``rule`` counts faces from the left, starting with 1.

    ``grey_HW`` is used for detection instead of ``image_HWC``; its boxes sometimes differ. Returns None without a face,
    or with fewer faces than the number.
    """
    if isinstance(rule, int):
        faces = sorted(_faces(image_HWC, "left", 0, grey_HW), key=lambda face: face.box.left + face.box.right)
        return faces[rule - 1] if 0 < rule <= len(faces) else None
    faces = _faces(image_HWC, rule, levels_above(SMALL), grey_HW)
    if not any(face.whole and face.frontal >= TURNED for face in faces):
        faces = _faces(image_HWC, rule, 0, grey_HW)
    return choose(faces, rule) if faces else None


def _faces(
    image_HWC: NDArray[np.uint8], rule: FaceRule, skip: int, grey_HW: NDArray[np.uint8] | None
) -> list[ChosenFace]:
    boxes = detect_faces(image_HWC if grey_HW is None else grey_HW, skip)
    points = predict_landmarks([image_HWC] * len(boxes), boxes)
    size = (image_HWC.shape[1], image_HWC.shape[0])
    faces, sure = [], []
    for box, one_1x68x2 in zip(boxes, points[:, None], strict=True):
        transform = align(one_1x68x2, per_frame=True)[0]
        face = ChosenFace(
            area=box.area,
            weight=weight(rule, box, size),
            whole=is_whole(one_1x68x2, size),
            frontal=frontal(one_1x68x2),
            box=box,
            points_68x2=one_1x68x2[0],
            outside=share_outside(transform, size),
            faces=1,
        )
        faces.append(face)
        # A weak detection is a face if its upright crop is detected again. Faces that an edge cuts are always weak.
        if box.score >= SURE or not face.whole or detect_faces(crop_face(image_HWC, transform)):
            sure.append(face)
    return [replace(face, faces=len(sure or faces)) for face in sure or faces]
