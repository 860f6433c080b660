"""The faces of all frames, and their points.

The detector runs on key frames only. Boxes between two key frames with the same faces are interpolated. The frame
halfway becomes a key frame too, and so on, when the faces differ (lost, moved fast, or a new shot) or when the points
found in between deviate from the interpolated way. So each box comes from detections, and never follows the background.
"""

import math
from dataclasses import astuple, dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.select import MIN_AREA
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.landmarks.points import STABLE

MIN_OVERLAP = 0.6
"""Overlap of key boxes from which the boxes between them are interpolated."""
MAX_DEVIATION = 0.1
"""Distance between a face and its interpolated place, in sides of its box, above which it is detected again."""
SHOT_CHANGE = 40.0
"""Mean difference in grey levels of successive 16x16 thumbnails that is a new shot."""
MIN_SIZE = 0.8
"""The detector searches for faces down to this share of the smallest main face."""

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """A box in one frame, and the points (68, 2) found in it."""

    box: Box
    points: NDArray[np.float32]

    @property
    def middle(self) -> tuple[float, float]:
        """The mean of the points that speech does not move."""
        x, y = self.points[STABLE].mean(axis=0).tolist()
        return x, y


class FaceFinder:
    """Finds all faces of every frame, chunk by chunk."""

    def __init__(self) -> None:
        self._last: list[Face] | None = None
        self._skip = levels_above(80)

    def find(self, chunk: list[Image]) -> list[list[Face]]:
        """The faces of each frame. The last frame of a chunk must be the first frame of the next chunk."""
        end = len(chunk) - 1
        faces: list[list[Face]] = [[] for _ in chunk]
        faces[0] = self._detected(chunk[0]) if self._last is None else self._last
        if end:
            faces[end] = self._detected(chunk[end])
            new_shot = _jumps(chunk) > SHOT_CHANGE
            open_spans = [(0, end)]
            while open_spans:
                first, final = open_spans.pop()
                if final - first < 2:
                    continue
                if not new_shot[first:final].any() and _interpolate(chunk, faces, first, final):
                    continue
                half = (first + final) // 2
                faces[half] = self._detected(chunk[half])
                open_spans += [(first, half), (half, final)]
        self._last = faces[end]
        return faces

    def _detected(self, frame: Image) -> list[Face]:
        """Search for faces of the size found before, and for all sizes when there are none."""
        boxes = detect_faces(frame, self._skip) or (detect_faces(frame) if self._skip else [])
        if main := _main(boxes):
            self._skip = levels_above(MIN_SIZE * min(box.right - box.left for box in main))
        points = predict_landmarks([frame] * len(boxes), boxes)
        return [Face(box, points_68x2) for box, points_68x2 in zip(boxes, points, strict=True)]


def _interpolate(chunk: list[Image], faces: list[list[Face]], first: int, final: int) -> bool:
    """Fill in ``faces`` between two key frames. False when these differ or a frame between deviates."""
    pairs = _same_faces(faces[first], faces[final])
    if not pairs:
        return False
    starts, ends = ([_place(face) for face in side] for side in zip(*pairs, strict=True))
    frames, places = [], []
    for number in range(first + 1, final):
        share = (number - first) / (final - first)
        frames += [chunk[number]] * len(pairs)
        places += [start * (1 - share) + end * share for start, end in zip(starts, ends, strict=True)]
    boxes = [Box(*place[:5].tolist()) for place in places]
    points = predict_landmarks(frames, boxes)
    between = [Face(box, points_68x2) for box, points_68x2 in zip(boxes, points, strict=True)]
    for face, (*_, x, y) in zip(between, places, strict=True):
        if math.dist(face.middle, (x, y)) > MAX_DEVIATION * (face.box.right - face.box.left):
            return False
    faces[first + 1 : final] = [between[at : at + len(pairs)] for at in range(0, len(between), len(pairs))]
    return True


def _place(face: Face) -> NDArray[np.float64]:
    """The numbers that are interpolated: the box, its score, and the middle."""
    return np.array([*astuple(face.box), *face.middle])


def _main(boxes: list[Box]) -> list[Box]:
    """The boxes that must be in both key frames; small ones may come and go."""
    largest = max((box.area for box in boxes), default=0.0)
    return [box for box in boxes if box.area >= MIN_AREA * largest]


def _same_faces(first: list[Face], final: list[Face]) -> list[tuple[Face, Face]]:
    """Pairs of each main face in two key frames; empty unless all are in both and have moved little."""
    pairs = []
    mains = [_main([face.box for face in faces]) for faces in (first, final)]
    free = [face for face in final if face.box in mains[1]]
    for face in [face for face in first if face.box in mains[0]]:
        partner = max(free, key=lambda other: other.box.overlap(face.box), default=None)
        if partner is None or partner.box.overlap(face.box) < MIN_OVERLAP:
            return []
        free.remove(partner)
        pairs.append((face, partner))
    return [] if free else pairs


def _jumps(chunk: list[Image]) -> NDArray[np.float32]:
    """Mean difference in grey levels of each frame's thumbnail from the next."""
    small = [cv2.resize(frame[::4, ::4], (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32) for frame in chunk]
    return np.array([np.abs(a - b).mean() for a, b in pairwise(small)], np.float32)
