"""Other people and other shots are noticed however they follow; one person in one shot is not reported."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.params import Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, to_crop
from pipeline.faces.identity import find_cuts, measure_identity, signatures
from pipeline.faces.track import track_face
from pipeline.landmarks.points import STABLE
from pipeline.media import read_frames

Image = NDArray[np.uint8]
LIMITS = Landmarks()


def analysed(frames: list[Image]) -> tuple[float, list[int], float]:
    """The share of frames with the face, the cuts, and the distance of the faces."""
    track = track_face(frames, LIMITS.detect_every)
    transforms = align(track.points_T68x2, per_frame=False, smoothing=LIMITS.smoothing)
    crops = np.stack([crop_face(*pair) for pair in zip(frames, transforms, strict=True)])
    marks = signatures(crops)
    cuts = find_cuts(marks, track.points_T68x2[:, STABLE], track.found_T)
    return (
        float(track.found_T.mean()),
        cuts,
        measure_identity(crops, to_crop(track.points_T68x2, transforms), marks, track.found_T),
    )


@pytest.fixture(scope="module")
def people(corpora: Path) -> list[list[Image]]:
    """Two speakers of GRID at the same place in front of the same wall."""
    return [list(read_frames(corpora / "grid" / name)) for name in ("s1/bbaf3s.mpg", "s5/lbax4n.mpg")]


def hard_cut(a: list[Image], b: list[Image]) -> list[Image]:
    return a[:40] + b[:35]


def back_again(a: list[Image], b: list[Image]) -> list[Image]:
    return a[:25] + b[:20] + a[30:60]


def dissolve(a: list[Image], b: list[Image]) -> list[Image]:
    mixed = [cv2.addWeighted(a[30 + n], 1 - n / 11, b[30 + n], n / 11, 0) for n in range(1, 11)]
    return a[:30] + [np.asarray(frame, np.uint8) for frame in mixed] + b[40:75]


def lost_for_a_while(a: list[Image], b: list[Image]) -> list[Image]:
    return a[:35] + [np.full_like(a[0], 120)] * 10 + b[45:75]


def at_the_end(a: list[Image], b: list[Image]) -> list[Image]:
    return a[:65] + b[65:75]


def elsewhere(a: list[Image], b: list[Image]) -> list[Image]:
    return [np.roll(frame, -50, axis=1) for frame in a[:40]] + [np.roll(frame, 60, axis=1) for frame in b[40:75]]


def places_swapped(a: list[Image], b: list[Image]) -> list[Image]:
    narrow = [[frame[:, 60:300] for frame in frames] for frames in (a, b)]
    pairs = [(0, 1)] * 40 + [(1, 0)] * 35
    return [np.hstack([narrow[left][number], narrow[right][number]]) for number, (left, right) in enumerate(pairs)]


KINDS = [hard_cut, back_again, dissolve, lost_for_a_while, at_the_end, elsewhere, places_swapped]


@pytest.mark.parametrize("kind", KINDS)
def test_two_people_are_distinguished(
    people: list[list[Image]], kind: Callable[[list[Image], list[Image]], list[Image]]
) -> None:
    found, _, identity = analysed(kind(*people))
    assert found >= LIMITS.min_detected
    assert identity > LIMITS.max_identity


def test_cuts_are_counted(people: list[list[Image]]) -> None:
    for kind, cuts in ((hard_cut, [40]), (back_again, [25, 45]), (at_the_end, [65])):
        assert analysed(kind(*people))[1] == pytest.approx(cuts, abs=1)


def test_another_shot_of_the_same_person(people: list[list[Image]]) -> None:
    """The face is nearer, or elsewhere in the picture."""
    frames = people[0]
    near = [np.asarray(cv2.resize(frame, None, fx=1.3, fy=1.3)[40:328, 55:415], np.uint8) for frame in frames]
    for other in (near, [np.roll(frame, 110, axis=1) for frame in frames]):
        found, cuts, identity = analysed(frames[:40] + other[40:])
        assert found == 1.0
        assert len(cuts) == 1
        assert identity < LIMITS.max_identity


@pytest.mark.parametrize(
    "name",
    [
        "grid/s1/srih2p.mpg",
        "grid/s31/bgiq6p.mpg",
        "lrw_like/lipread_mp4/ABOUT/train/ABOUT_00001.mp4",
        "lrw_like/lipread_mp4/DURING/train/DURING_00003.mp4",
        "lrw_like/lipread_mp4/EVERY/train/EVERY_00004.mp4",
    ],
)
def test_moving_and_turning_people_are_one_person(corpora: Path, name: str) -> None:
    _, cuts, identity = analysed(list(read_frames(corpora / name)))
    assert cuts == []
    assert identity < LIMITS.max_identity


def test_light_and_damage_are_not_cuts(people: list[list[Image]]) -> None:
    frames = [frame.copy() for frame in people[0]]
    frames[20:22] = [np.full_like(frames[0], 255)] * 2  # a flash
    frames[50][144:] = 120  # half a frame is lost
    darker = [np.asarray(frame * (0.4 if number > 35 else 1.0), np.uint8) for number, frame in enumerate(frames)]
    found, cuts, identity = analysed(darker)
    assert found >= 0.95
    assert (cuts, identity) == ([], 0.0)


def test_signatures_by_hand() -> None:
    ramp = np.repeat(np.arange(128, dtype=np.uint8)[None, :, None], 128, axis=0).repeat(3, axis=2)
    crops = np.stack([ramp, ramp // 2, 127 - ramp, np.full_like(ramp, 9)])
    marks = signatures(crops)
    columns = np.arange(8) - 3.5
    np.testing.assert_allclose(marks[0], np.tile(columns, 8) / np.linalg.norm(np.tile(columns, 8)), atol=1e-3)
    np.testing.assert_allclose(marks[1], marks[0], atol=0.02)
    np.testing.assert_allclose(marks[2], -marks[0], atol=1e-3)
    np.testing.assert_array_equal(marks[3], 0)


def test_nothing_to_compare() -> None:
    crops = np.random.default_rng(0).integers(0, 255, (9, 128, 128, 3)).astype(np.uint8)
    marks, points = signatures(crops), np.random.default_rng(0).normal(100, 20, (9, 13, 2))
    faces = np.full((9, 68, 2), 60, np.float32)
    assert measure_identity(crops, faces, marks, np.ones(9, bool)) == 0.0
    assert measure_identity(crops, faces, marks, np.zeros(9, bool)) == 0.0
    assert find_cuts(marks, points, np.zeros(9, bool)) == []
    assert find_cuts(marks[:1], points[:1], np.ones(1, bool)) == []
