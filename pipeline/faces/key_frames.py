"""The faces of all frames, and their points. Boxes are detected on key frames and interpolated in between.

The frame halfway becomes a key frame too, and so on, when the faces differ (lost, moved fast, or a new shot) or when
the points found in between deviate from the interpolated way.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from itertools import islice, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.replay import Image
from pipeline.faces.select import MIN_AREA
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.landmarks.points import STABLE

MIN_OVERLAP = 0.6  # overlap of key boxes from which the boxes between them are interpolated
MAX_DEVIATION = 0.1
"""Distance between a face and its interpolated place, in sides of its box, above which it is detected again."""
SHOT_CHANGE = 40.0  # mean difference in grey levels of successive 16x16 thumbnails that is a new shot
MIN_SIZE = 0.8  # the detector searches for faces down to this share of the smallest main face


@dataclass(frozen=True)
class Face:
    """A box in one frame, and the points (68, 2) found in it."""

    box: Box
    points: NDArray[np.float32]

    @property
    def middle(self) -> NDArray[np.float32]:
        """The mean of the points that speech does not move."""
        return np.asarray(self.points[STABLE].mean(axis=0))


def find_faces(frames: Iterable[Image], detect_every: int) -> Iterator[tuple[Image, list[Face]]]:
    """Each frame with its faces. About ``detect_every`` frames are kept at a time."""
    skip = levels_above(80)

    def detected(frame: Image) -> list[Face]:
        """Search for faces of the size found before, and for all sizes when there are none."""
        nonlocal skip
        boxes = detect_faces(frame, skip) or (detect_faces(frame) if skip else [])
        faces = _faces([frame] * len(boxes), boxes)
        if main := _main(faces):
            skip = levels_above(MIN_SIZE * min(face.box.right - face.box.left for face in main))
        return faces

    frames = iter(frames)
    chunk = list(islice(frames, 1))
    faces = [detected(frame) for frame in chunk]
    while chunk:
        chunk += islice(frames, detect_every)
        end = len(chunk) - 1
        faces += [[] for _ in range(end)]
        if end:
            faces[end] = detected(chunk[end])
        new_shot = _jumps(chunk) > SHOT_CHANGE
        open_spans = [(0, end)]
        while open_spans:
            first, final = open_spans.pop()
            if final - first < 2:
                continue
            if not new_shot[first:final].any() and _interpolate(chunk, faces, first, final):
                continue
            half = (first + final) // 2
            faces[half] = detected(chunk[half])
            open_spans += [(first, half), (half, final)]
        if end < detect_every:
            yield from zip(chunk, faces, strict=True)
            return
        yield from zip(chunk[:-1], faces[:-1], strict=True)
        chunk, faces = chunk[-1:], faces[-1:]


def _interpolate(chunk: list[Image], faces: list[list[Face]], first: int, final: int) -> bool:
    """Fill in ``faces`` between two key frames. False when these differ or a frame between deviates."""
    pairs = _same_faces(faces[first], faces[final])
    if not pairs:
        return False
    starts, ends = (
        [np.array([*astuple(face.box), *face.middle]) for face in side] for side in zip(*pairs, strict=True)
    )
    frames = [frame for frame in chunk[first + 1 : final] for _ in pairs]
    shares = [number / (final - first) for number in range(1, final - first)]
    places = [start * (1 - share) + end * share for share in shares for start, end in zip(starts, ends, strict=True)]
    between = _faces(frames, [Box(*place[:5].tolist()) for place in places])
    for face, (*_, x, y) in zip(between, places, strict=True):
        if math.dist(face.middle, (x, y)) > MAX_DEVIATION * (face.box.right - face.box.left):
            return False
    faces[first + 1 : final] = [between[at : at + len(pairs)] for at in range(0, len(between), len(pairs))]
    return True


def _faces(frames: list[Image], boxes: list[Box]) -> list[Face]:
    """The face in each box, one for each of ``frames``."""
    return [Face(*face) for face in zip(boxes, predict_landmarks(frames, boxes), strict=True)]


def _main(faces: list[Face]) -> list[Face]:
    """The faces that must be in both key frames; small ones may come and go."""
    largest = max((face.box.area for face in faces), default=0.0)
    return [face for face in faces if face.box.area >= MIN_AREA * largest]


def _same_faces(first: list[Face], final: list[Face]) -> list[tuple[Face, Face]]:
    """Pairs of each main face in two key frames; empty unless all are in both and have moved little."""
    pairs = []
    free = _main(final)
    for face in _main(first):
        partner = max(free, key=lambda other: other.box.overlap(face.box), default=None)
        if partner is None or partner.box.overlap(face.box) < MIN_OVERLAP:
            return []
        free = [other for other in free if other is not partner]
        pairs.append((face, partner))
    return [] if free else pairs


def _jumps(chunk: list[Image]) -> NDArray[np.float32]:
    """Mean difference in grey levels of each frame's thumbnail from the next."""
    small = [cv2.resize(frame[::4, ::4], (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32) for frame in chunk]
    return np.array([np.abs(a - b).mean() for a, b in pairwise(small)], np.float32)
