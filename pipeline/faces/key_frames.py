"""The faces of every frame, and their points.

The detector runs on key frames only. Between two key frames that hold the same faces the boxes are interpolated; where
they do not (a face was lost, moved fast, or the shot changed), or where the points found between them leave the way
from one to the other, the frame halfway becomes a key frame too, and so on. A box therefore always comes from
detections, never from following something into the background.
"""

import math
from dataclasses import astuple, dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.select import MINOR
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.landmarks.points import STABLE

STEADY = 0.6
"""Overlap of key boxes above which the boxes between them may be interpolated."""
ASTRAY = 0.1
"""Distance of a face from its way between two key frames, in sides of its box, above which it is searched for again."""
SHOT_CHANGE = 40.0
"""Mean grey-level difference of successive 16x16 thumbnails above which the shot changed."""
SHRINK = 0.8
"""Faces smaller than this share of the smallest one followed are not searched for."""

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """A box in one frame, with the points (68, 2) found in it."""

    box: Box
    points: NDArray[np.float32]

    @property
    def middle(self) -> tuple[float, float]:
        """Of the points that speech does not move."""
        x, y = self.points[STABLE].mean(axis=0).tolist()
        return x, y


class Faces:
    """All faces of every frame, chunk by chunk; a chunk's last frame is the next one's first."""

    def __init__(self) -> None:
        self._last: list[Face] | None = None
        self._skip = levels_above(80)

    def find(self, chunk: list[Image]) -> list[list[Face]]:
        """The faces of each frame."""
        end = len(chunk) - 1
        faces: list[list[Face]] = [[] for _ in chunk]
        faces[0] = self._detected(chunk[0]) if self._last is None else self._last
        if end:
            faces[end] = self._detected(chunk[end])
            jumps = _jumps(chunk)
            open_spans = [(0, end)]
            while open_spans:
                first, final = open_spans.pop()
                if final - first < 2 or _interpolate(chunk, faces, first, final, jumps):
                    continue
                half = (first + final) // 2
                faces[half] = self._detected(chunk[half])
                open_spans += [(first, half), (half, final)]
        self._last = faces[end]
        return faces

    def _detected(self, frame: Image) -> list[Face]:
        """At the size of the faces followed; at every size when there are none."""
        boxes = detect_faces(frame, self._skip) or (detect_faces(frame) if self._skip else [])
        if main := _main(boxes):
            self._skip = levels_above(SHRINK * min(box.right - box.left for box in main))
        points = predict_landmarks([frame] * len(boxes), boxes)
        return [Face(*one) for one in zip(boxes, points, strict=True)]


def _interpolate(
    chunk: list[Image], faces: list[list[Face]], first: int, final: int, jumps: NDArray[np.float32]
) -> bool:
    """Fill in the frames between two key frames, if both hold the same faces and none between speaks against it."""
    ways = _same_faces(faces[first], faces[final])
    if not ways or (jumps[first:final] > SHOT_CHANGE).any():
        return False
    starts, ends = ([_place(face) for face in side] for side in zip(*ways, strict=True))
    frames, places = [], []
    for number in range(first + 1, final):
        share = (number - first) / (final - first)
        frames += [chunk[number]] * len(ways)
        places += [start * (1 - share) + end * share for start, end in zip(starts, ends, strict=True)]
    boxes = [Box(*place[:5].tolist()) for place in places]
    seen = [Face(*one) for one in zip(boxes, predict_landmarks(frames, boxes), strict=True)]
    for face, (*_, x, y) in zip(seen, places, strict=True):
        if math.dist(face.middle, (x, y)) > ASTRAY * (face.box.right - face.box.left):
            return False
    faces[first + 1 : final] = [seen[at : at + len(ways)] for at in range(0, len(seen), len(ways))]
    return True


def _place(face: Face) -> NDArray[np.float64]:
    """What is interpolated: the box with its score, and the middle."""
    return np.array([*astuple(face.box), *face.middle])


def _main(boxes: list[Box]) -> list[Box]:
    """Those that may not come and go without being searched for between key frames."""
    largest = max((box.area for box in boxes), default=0.0)
    return [box for box in boxes if box.area >= MINOR * largest]


def _same_faces(first: list[Face], final: list[Face]) -> list[tuple[Face, Face]]:
    """Each main face of one key frame with itself in the other; empty unless all of both are there and steady."""
    pairs = []
    mains = [_main([face.box for face in faces]) for faces in (first, final)]
    free = [face for face in final if face.box in mains[1]]
    for face in (one for one in first if one.box in mains[0]):
        partner = max(free, key=lambda one: one.box.overlap(face.box), default=None)
        if partner is None or partner.box.overlap(face.box) < STEADY:
            return []
        free.remove(partner)
        pairs.append((face, partner))
    return [] if free else pairs


def _jumps(chunk: list[Image]) -> NDArray[np.float32]:
    """Mean difference of each frame's thumbnail from the next one's, in grey levels."""
    small = [cv2.resize(frame[::4, ::4], (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32) for frame in chunk]
    return np.array([np.abs(a - b).mean() for a, b in pairwise(small)], np.float32)
