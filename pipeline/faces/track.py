"""One face through a clip: which box in which frame, and its 68 points.

The detector looks at key frames only. Between two key frames that hold the same face the box is interpolated; where
they do not (the face was lost, moved fast, or the shot changed) every frame between them is looked at. A box therefore
always comes from detections, never from following something into the background.
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import Box, detect_faces, predict_landmarks

SAME_FACE = 0.3
"""Overlap above which boxes of neighbouring looks are the same face."""
STEADY = 0.6
"""Overlap of key boxes above which the boxes between them may be interpolated."""
SHOT_CHANGE = 40.0
"""Mean grey-level difference of successive 16x16 thumbnails above which the shot changed."""


@dataclass(frozen=True)
class Track:
    """The chosen face: points (F, 68, 2) float32 in source pixels, and per frame whether it was found and how surely.

    Points of frames without the face are interpolated from their neighbours; ``scores`` is 0 there.
    """

    points_F68x2: NDArray[np.float32]
    found_F: NDArray[np.bool_]
    scores_F: NDArray[np.float32]


def track_face(frames: Iterable[NDArray[np.uint8]], detect_every: int) -> Track:
    """Find the clip's face in RGB frames (H, W, 3), which are read once and kept no longer than ``detect_every``
    frames.

    Of several faces that one is kept which is, summed over the key frames, the largest, most central and steadiest.
    """
    candidates = _Candidates()
    chunk: list[NDArray[np.uint8]] = []
    for frame in frames:
        chunk.append(frame)
        if len(chunk) == detect_every + 1:
            candidates.look(chunk)
            chunk = chunk[-1:]
    if chunk:
        candidates.look(chunk, last=True)
    return candidates.best()


class _Candidate:
    """One face followed through the clip."""

    def __init__(self, first_frame: int) -> None:
        self.first_frame = first_frame
        self.weight = 0.0
        self.points: dict[int, NDArray[np.float32]] = {}
        self.scores: dict[int, float] = {}
        self.box: Box | None = None

    def see(self, number: int, frame: NDArray[np.uint8], box: Box) -> None:
        self.points[number] = predict_landmarks(frame, box)
        self.scores[number] = box.score
        self.box = box


class _Candidates:
    """All faces of a clip while it is read, chunk by chunk; a chunk's last frame is the next one's first."""

    def __init__(self) -> None:
        self.all: list[_Candidate] = []
        self.key: list[Box] | None = None
        self.start = 0
        self.frames = 0

    def look(self, chunk: list[NDArray[np.uint8]], last: bool = False) -> None:
        first = self._key_boxes(chunk[0]) if self.key is None else self.key
        final = self._key_boxes(chunk[-1]) if len(chunk) > 1 else first
        pairs = _same_faces(first, final)
        steady = (
            bool(pairs) and all(a.overlap(b) >= STEADY for a, b in pairs) and len(pairs) == len(first) == len(final)
        )
        inner = len(chunk) if last else len(chunk) - 1
        for offset in range(inner):
            if offset == 0:
                boxes = first
            elif offset == len(chunk) - 1:
                boxes = final
            elif steady and not _shot_changes(chunk):
                boxes = [_between(a, b, offset / (len(chunk) - 1)) for a, b in pairs]
            else:
                boxes = self._key_boxes(chunk[offset])
            self._assign(self.start + offset, chunk[offset], boxes)
        self.key = final
        self.start += inner
        self.frames = self.start

    def _key_boxes(self, frame: NDArray[np.uint8]) -> list[Box]:
        return detect_faces(frame) or detect_faces(frame, upsample=1)

    def _assign(self, number: int, frame: NDArray[np.uint8], boxes: list[Box]) -> None:
        free = list(self.all)
        for box in boxes:
            near = [one for one in free if one.box is not None and one.box.overlap(box) >= SAME_FACE]
            one = max(near, key=lambda one: one.box.overlap(box) if one.box else 0.0, default=None)
            if one is None:
                one = _Candidate(number)
                self.all.append(one)
            else:
                free.remove(one)
            one.see(number, frame, box)
            one.weight += box.area * _centrality(frame, box)

    def best(self) -> Track:
        if not self.all:
            empty = np.full((self.frames, 68, 2), np.nan, np.float32)
            return Track(empty, np.zeros(self.frames, bool), np.zeros(self.frames, np.float32))
        leader = max(self.all, key=lambda one: one.weight)
        # A face that was lost and found elsewhere, or comes back after a cut, goes on in frames the leader has not.
        seen = dict(leader.points)
        scores = dict(leader.scores)
        for other in sorted(self.all, key=lambda one: -one.weight):
            if not seen.keys() & other.points.keys() and _same_size(leader, other):
                seen |= other.points
                scores |= other.scores
        found = np.array([number in seen for number in range(self.frames)])
        points = np.stack([seen.get(number, np.full((68, 2), np.nan, np.float32)) for number in range(self.frames)])
        return Track(
            _fill(points, found), found, np.array([scores.get(n, 0.0) for n in range(self.frames)], np.float32)
        )


def _same_faces(first: list[Box], final: list[Box]) -> list[tuple[Box, Box]]:
    pairs = []
    free = list(final)
    for box in first:
        partner = max(free, key=box.overlap, default=None)
        if partner is not None and box.overlap(partner) >= SAME_FACE:
            free.remove(partner)
            pairs.append((box, partner))
    return pairs


def _between(a: Box, b: Box, share: float) -> Box:
    first, second = np.array(astuple(a)), np.array(astuple(b))
    return Box(*(first * (1 - share) + second * share).tolist())


def _shot_changes(chunk: list[NDArray[np.uint8]]) -> bool:
    small = [cv2.resize(frame[::4, ::4], (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32) for frame in chunk]
    return any(float(np.abs(a - b).mean()) > SHOT_CHANGE for a, b in pairwise(small))


def _centrality(frame: NDArray[np.uint8], box: Box) -> float:
    """1 in the middle of the picture, 0.5 at its edge."""
    height, width = frame.shape[:2]
    x = (box.left + box.right) / width - 1
    y = (box.top + box.bottom) / height - 1
    return 1.0 - 0.5 * min(1.0, float(np.hypot(x, y)))


def _same_size(one: _Candidate, other: _Candidate) -> bool:
    spans = [np.median([np.ptp(points[:, 1]) for points in face.points.values()]) for face in (one, other)]
    return bool(0.67 < spans[0] / max(spans[1], 1e-6) < 1.5)


def _fill(points: NDArray[np.float32], found: NDArray[np.bool_]) -> NDArray[np.float32]:
    if found.all() or not found.any():
        return points
    numbers = np.arange(len(points))
    flat = points.reshape(len(points), -1)
    columns = [np.interp(numbers, numbers[found], column[found]) for column in flat.T]
    return np.stack(columns, axis=1).reshape(points.shape).astype(np.float32)
