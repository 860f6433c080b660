"""One face through a clip."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.detect import Box
from pipeline.faces.key_frames import Face, FaceFinder, Image
from pipeline.faces.select import Candidate, choose, frontal, is_whole, weight

SAME_FACE = 0.3
"""Overlap from which faces of neighbouring frames belong to one person."""
LASTING = 0.5
"""A person in less than this share of the most frequent person's frames is only passing through."""


@dataclass(frozen=True)
class Track:
    """The chosen face. Points of frames without the face are interpolated, and their score is 0."""

    points_T68x2: NDArray[np.float32]
    """Points in source pixels."""
    found_T: NDArray[np.bool_]
    """Whether the face was found in the frame."""
    scores_T: NDArray[np.float32]
    """The detector's confidence."""


def track_face(frames: Iterable[Image], detect_every: int, rule: FaceRule = "prominent") -> Track:
    """Track the clip's face through RGB frames (H, W, 3).

    Frames are read once, and about ``detect_every`` frames are kept at a time. Of several lasting people,
    `pipeline.faces.select.choose` takes one, by the sum of the weights in all frames.
    """
    finder = FaceFinder()
    people = _People(rule)
    chunk: list[Image] = []
    for frame in frames:
        chunk.append(frame)
        if len(chunk) == detect_every + 1:
            people.add(chunk[:-1], finder.find(chunk))
            chunk = chunk[-1:]
    if chunk:
        people.add(chunk, finder.find(chunk))
    return people.track()


class _Person:
    """One person through the clip."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.weight = 0.0
        self.points: dict[int, NDArray[np.float32]] = {}
        self.boxes: dict[int, Box] = {}
        self.box = Box(0, 0, 0, 0)
        """The last box."""

    def add(self, number: int, face: Face, rule: FaceRule) -> None:
        self.points[number] = face.points
        self.box = self.boxes[number] = face.box
        self.weight += weight(rule, face.box, self.size)

    def candidate(self) -> "_PersonCandidate":
        points = np.array(list(self.points.values()))
        area = float(np.median([box.area for box in self.boxes.values()]))
        return _PersonCandidate(area, self.weight, is_whole(points, self.size), frontal(points), self)

    @property
    def height(self) -> float:
        """The median height of the face."""
        return float(np.median([np.ptp(points[:, 1]) for points in self.points.values()]))


@dataclass(frozen=True)
class _PersonCandidate(Candidate):
    person: _Person


class _People:
    """All people of the clip."""

    def __init__(self, rule: FaceRule) -> None:
        self._rule = rule
        self._people: list[_Person] = []
        self._frames = 0

    def add(self, frames: list[Image], faces: list[list[Face]]) -> None:
        """Assign the faces of the next frames to people."""
        for frame, faces_of_frame in zip(frames, faces, strict=False):  # a chunk's last frame is in the next chunk too
            free = list(self._people)
            for face in faces_of_frame:
                near = [person for person in free if person.box.overlap(face.box) >= SAME_FACE]
                if near:
                    person = max(near, key=lambda person: person.box.overlap(face.box))
                    free.remove(person)
                else:
                    person = _Person((frame.shape[1], frame.shape[0]))
                    self._people.append(person)
                person.add(self._frames, face, self._rule)
            self._frames += 1

    def track(self) -> Track:
        """The chosen person, continued where the face was lost and found elsewhere, or came back after a cut."""
        points: dict[int, NDArray[np.float32]] = {}
        boxes: dict[int, Box] = {}
        if self._people:
            longest = max(len(person.points) for person in self._people)
            lasting = [person for person in self._people if len(person.points) >= LASTING * longest]
            leader = lasting[0]
            if len(lasting) > 1:
                leader = choose([person.candidate() for person in lasting], self._rule).person
            points, boxes = dict(leader.points), dict(leader.boxes)
            for other in sorted(self._people, key=lambda person: -person.weight):
                if points.keys() & other.points.keys():
                    continue
                if 0.67 < leader.height / max(other.height, 1e-6) < 1.5:
                    points |= other.points
                    boxes |= other.boxes
        numbers = range(self._frames)
        missing = np.full((68, 2), np.nan, np.float32)
        points_T68x2 = np.array([points.get(number, missing) for number in numbers], np.float32).reshape(-1, 68, 2)
        found_T = np.array([number in points for number in numbers], bool)
        scores_T = np.array([boxes[number].score if number in boxes else 0.0 for number in numbers], np.float32)
        return Track(_interpolated(points_T68x2, found_T), found_T, scores_T)


def _interpolated(points: NDArray[np.float32], found: NDArray[np.bool_]) -> NDArray[np.float32]:
    if found.all() or not found.any():
        return points
    numbers = np.arange(len(points))
    flat = points.reshape(len(points), -1)
    columns = [np.interp(numbers, numbers[found], column[found]) for column in flat.T]
    return np.stack(columns, axis=1).reshape(points.shape).astype(np.float32)
