"""One face through a clip: of all that are seen (key_frames), the one that is the clip's."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.detect import Box
from pipeline.faces.key_frames import Face, Faces, Image
from pipeline.faces.select import choose, frontal, is_whole, weight

SAME_FACE = 0.3
"""Overlap above which faces of neighbouring frames are the same person's."""
LASTING = 0.5
"""A face that is seen in a smaller share of the frames than this one of the most frequent face's passes through."""


@dataclass(frozen=True)
class Track:
    """The chosen face: points (T, 68, 2) float32 in source pixels, and per frame whether it was found and how surely.

    Points of frames without the face are interpolated from their neighbours; ``scores`` is 0 there.
    """

    points_T68x2: NDArray[np.float32]
    found_T: NDArray[np.bool_]
    scores_T: NDArray[np.float32]


def track_face(frames: Iterable[Image], detect_every: int, rule: FaceRule = "prominent") -> Track:
    """Find the clip's face in RGB frames (H, W, 3), which are read once and kept no longer than ``detect_every``
    frames.

    Of several lasting faces that one is kept which `pipeline.faces.select.choose` takes, by its weight summed over the
    frames it is seen in.
    """
    faces = Faces()
    people = _People(rule)
    chunk: list[Image] = []
    for frame in frames:
        chunk.append(frame)
        if len(chunk) == detect_every + 1:
            people.meet(chunk[:-1], faces.find(chunk))
            chunk = chunk[-1:]
    if chunk:
        people.meet(chunk, faces.find(chunk))
    return people.best()


class _Person:
    """One face followed through the clip; a `Candidate`."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.weight = 0.0
        self.areas: list[float] = []
        self.points: dict[int, NDArray[np.float32]] = {}
        self.scores: dict[int, float] = {}
        self.box: Box | None = None

    def see(self, number: int, face: Face) -> None:
        self.points[number] = face.points
        self.scores[number] = face.box.score
        self.areas.append(face.box.area)
        self.box = face.box

    @property
    def area(self) -> float:
        return float(np.median(self.areas))

    @property
    def whole(self) -> bool:
        return is_whole(np.array(list(self.points.values())), self.size)

    @property
    def frontal(self) -> float:
        return frontal(np.array(list(self.points.values())))


class _People:
    """Who is in the clip, and which of them is its face."""

    def __init__(self, rule: FaceRule) -> None:
        self._rule = rule
        self._all: list[_Person] = []
        self._frames = 0

    def meet(self, frames: list[Image], faces: list[list[Face]]) -> None:
        """Tell who is who in the next frames."""
        for frame, seen in zip(frames, faces, strict=False):  # a chunk's last frame comes again
            free = list(self._all)
            for face in seen:
                near = [one for one in free if one.box is not None and one.box.overlap(face.box) >= SAME_FACE]
                person = max(near, key=lambda one: one.box.overlap(face.box) if one.box else 0.0, default=None)
                if person is None:
                    person = _Person((frame.shape[1], frame.shape[0]))
                    self._all.append(person)
                else:
                    free.remove(person)
                person.see(self._frames, face)
                person.weight += weight(self._rule, face.box, person.size)
            self._frames += 1

    def best(self) -> Track:
        """The face that is chosen; where it was lost and found elsewhere, or came back after a cut, it goes on."""
        nowhere = np.full((68, 2), np.nan, np.float32)
        seen: dict[int, NDArray[np.float32]] = {}
        scores: dict[int, float] = {}
        if self._all:
            longest = max(len(one.points) for one in self._all)
            lasting = [one for one in self._all if len(one.points) >= LASTING * longest]
            leader = lasting[0] if len(lasting) == 1 else choose(lasting, self._rule)
            seen, scores = dict(leader.points), dict(leader.scores)
            for other in sorted(self._all, key=lambda one: -one.weight):
                if not seen.keys() & other.points.keys() and _same_size(leader, other):
                    seen |= other.points
                    scores |= other.scores
        numbers = range(self._frames)
        found = np.array([number in seen for number in numbers], bool)
        points = np.array([seen.get(number, nowhere) for number in numbers], np.float32).reshape(-1, 68, 2)
        return Track(_fill(points, found), found, np.array([scores.get(number, 0.0) for number in numbers], np.float32))


def _same_size(one: _Person, other: _Person) -> bool:
    spans = [np.median([np.ptp(points[:, 1]) for points in face.points.values()]) for face in (one, other)]
    return bool(0.67 < spans[0] / max(spans[1], 1e-6) < 1.5)


def _fill(points: NDArray[np.float32], found: NDArray[np.bool_]) -> NDArray[np.float32]:
    if found.all() or not found.any():
        return points
    numbers = np.arange(len(points))
    flat = points.reshape(len(points), -1)
    columns = [np.interp(numbers, numbers[found], column[found]) for column in flat.T]
    return np.stack(columns, axis=1).reshape(points.shape).astype(np.float32)
