"""Clips are grouped by person."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, to_crop
from pipeline.faces.identity import face_descriptor, group_by_person
from pipeline.faces.track import track_face
from pipeline.media import read_frames


def described(path: Path) -> NDArray[np.float64]:
    frame = next(read_frames(path))
    points = track_face([frame], 1).points_T68x2
    transform = align(points, per_frame=True, smoothing=0.0)
    return face_descriptor(crop_face(frame, transform[0]), to_crop(points, transform)[0])


def test_clips_of_two_people_are_separated(corpora: Path) -> None:
    paths = [*sorted(corpora.glob("grid/s31/*.mpg"))[:2], *sorted(corpora.glob("grid/s1/*.mpg"))[:3]]
    names = [path.stem for path in paths]
    groups = group_by_person(names, np.array([described(path) for path in paths]))
    assert groups == [names[2:], names[:2]]


def test_one_clip_is_one_person() -> None:
    assert group_by_person(["a"], np.zeros((1, 128))) == [["a"]]
    assert group_by_person([], np.zeros((0, 128))) == [[]]
