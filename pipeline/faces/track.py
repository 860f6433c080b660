"""One face through a clip."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.detect import Box
from pipeline.faces.key_frames import Face, find_faces
from pipeline.faces.replay import Image
from pipeline.faces.select import Candidate, choose, frontal, is_whole, weight
from pipeline.landmarks.points import interpolate_missing

SAME_FACE = 0.3  # overlap from which faces of neighbouring frames belong to one person
LASTING = 0.5  # a person in less than this share of the most frequent person's frames is only passing through
_NOWHERE = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class Track:
    """The chosen face. Points of frames without the face are interpolated, and their score is 0."""

    points_T68x2: NDArray[np.float32]
    """Points in source pixels."""
    found_T: NDArray[np.bool_]
    """Whether the face was found in the frame."""
    scores_T: NDArray[np.float32]
    """The detector's confidence."""


@dataclass(eq=False)
class _Person:
    """One person through the clip."""

    size: tuple[int, int]
    weight: float = 0.0
    faces: dict[int, Face] = field(default_factory=dict)  # by number of the frame
    box: Box = _NOWHERE  # the last one

    def add(self, number: int, face: Face, rule: FaceRule) -> None:
        self.faces[number], self.box = face, face.box
        self.weight += weight(rule, face.box, self.size)

    def candidate(self) -> Candidate:
        points = np.array([face.points for face in self.faces.values()])
        area = float(np.median([face.box.area for face in self.faces.values()]))
        return Candidate(area, self.weight, is_whole(points, self.size), frontal(points))

    @property
    def height(self) -> float:
        """The median height of the face."""
        return float(np.median([np.ptp(face.points[:, 1]) for face in self.faces.values()]))


def track_face(frames: Iterable[Image], detect_every: int, rule: FaceRule = "prominent") -> Track:
    """Track the clip's face through RGB frames (H, W, 3).

    Frames are read once, and about ``detect_every`` frames are kept at a time. Of several lasting people,
    `pipeline.faces.select.choose` takes one, by the sum of the weights in all frames.
    """
    people: list[_Person] = []
    count = 0
    for frame, faces in find_faces(frames, detect_every):
        free = list(people)
        for face in faces:
            person = max(free, key=lambda other: other.box.overlap(face.box), default=None)
            if person is not None and person.box.overlap(face.box) >= SAME_FACE:
                free.remove(person)
            else:
                person = _Person((frame.shape[1], frame.shape[0]))
                people.append(person)
            person.add(count, face, rule)
        count += 1
    chosen = _chosen(people, rule) if people else {}
    missing = Face(_NOWHERE, np.full((68, 2), np.nan, np.float32))
    track = [chosen.get(number, missing) for number in range(count)]
    points_T68x2 = np.array([face.points for face in track], np.float32).reshape(-1, 68, 2)
    found_T = np.array([face is not missing for face in track], bool)
    scores_T = np.array([face.box.score for face in track], np.float32)
    if found_T.any():
        points_T68x2 = interpolate_missing(points_T68x2, found_T).astype(np.float32)
    return Track(points_T68x2, found_T, scores_T)


def _chosen(people: list[_Person], rule: FaceRule) -> dict[int, Face]:
    """The chosen person's faces, continued where the face was lost and found elsewhere, or came back after a cut."""
    longest = max(len(person.faces) for person in people)
    lasting = [person for person in people if len(person.faces) >= LASTING * longest]
    leader = lasting[0]
    if len(lasting) > 1:
        candidates = [person.candidate() for person in lasting]
        leader = lasting[candidates.index(choose(candidates, rule))]
    faces = dict(leader.faces)
    for other in sorted(people, key=lambda person: -person.weight):
        if not faces.keys() & other.faces.keys() and 0.67 < leader.height / max(other.height, 1e-6) < 1.5:
            faces |= other.faces
    return faces
