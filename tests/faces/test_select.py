"""Complete frontal faces are chosen first, then the rule decides."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.align import align
from pipeline.faces.crop import share_outside
from pipeline.faces.select import Candidate, choose, choose_face, frontal, is_whole
from pipeline.faces.track import track_face
from pipeline.media import read_frames

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Face(Candidate):
    name: str = ""


def face(name: str, area: float, weight: float, *, whole: bool = True, frontal: float = 0.9) -> Face:
    return Face(area, weight, whole, frontal, name)


@pytest.mark.parametrize(
    ("rule", "faces", "chosen"),
    [
        ("prominent", [face("a", 9, 9), face("b", 8, 8)], "a"),
        ("prominent", [face("a", 9, 9, whole=False), face("b", 8, 8)], "b"),
        ("largest", [face("a", 9, 9, frontal=0.1), face("b", 8, 8)], "b"),
        ("central", [face("a", 9, 9, frontal=0.1), face("b", 8, 8, whole=False)], "a"),
        ("prominent", [face("a", 9, 9, whole=False), face("b", 8, 8, whole=False)], "a"),
        ("prominent", [face("a", 9, 9, frontal=0.0), face("b", 1, 1)], "a"),
        ("left", [face("a", 9, 9, whole=False), face("b", 8, 8)], "a"),
        ("right", [face("a", 9, 9, frontal=0.0), face("b", 1, 1)], "a"),
    ],
)
def test_the_order_of_candidates(rule: FaceRule, faces: list[Face], chosen: str) -> None:
    assert choose(faces, rule).name == choose(faces[::-1], rule).name == chosen


def head(photograph: Image, scale: float) -> Image:
    return np.asarray(cv2.resize(photograph[:240, 110:340], None, fx=scale, fy=scale), np.uint8)


def cut_and_whole(photograph: Image) -> Image:
    """A large face that the left edge cuts, and a smaller one."""
    picture = np.full((320, 560, 3), 120, np.uint8)
    large, small = head(photograph, 1.2)[:, 108:], head(photograph, 0.9)
    picture[: len(large), : large.shape[1]] = large
    picture[60 : 60 + len(small), 300 : 300 + small.shape[1]] = small
    return picture


def test_a_whole_face_comes_before_a_cut_face(photograph: Image) -> None:
    picture = cut_and_whole(photograph)
    choice = choose_face(picture)
    assert choice is not None
    assert (choice.faces, choice.whole) == (2, True)
    assert choice.box.left > 300
    track = track_face([picture] * 10, 37)
    assert (track.points_T68x2[:, 30, 0] > 300).all()
    named = choose_face(picture, "left")
    assert named is not None
    assert not named.whole
    assert (track_face([picture] * 10, 37, "left").points_T68x2[:, 30, 0] < 150).all()


def test_a_face_that_passes_through_is_not_chosen(photograph: Image) -> None:
    """The whole face is there for a third of the time only."""
    picture = cut_and_whole(photograph)
    alone = picture.copy()
    alone[:, 290:] = 120
    track = track_face([alone] * 14 + [picture] * 7, 37)
    assert (track.points_T68x2[:, 30, 0] < 150).all()


def test_a_frontal_face_comes_before_a_turned_head(corpora: Path, photograph: Image) -> None:
    turned = next(read_frames(corpora / "lrw_like/lipread_mp4/CHANGE/train/CHANGE_00004.mp4"))
    picture = np.full((300, 560, 3), 120, np.uint8)
    picture[:256, :256] = turned
    small = head(photograph, 1.0)
    picture[40 : 40 + len(small), 310 : 310 + small.shape[1]] = small
    choices = [choose_face(picture, rule) for rule in ("left", "largest")]
    assert [choice and choice.box.left > 256 for choice in choices] == [False, True]
    assert choices[0] is not None
    assert choices[0].frontal < 0.35


def test_small_faces_count_when_no_large_face_is_whole(photograph: Image) -> None:
    picture = np.full((320, 560, 3), 120, np.uint8)
    large, small = head(photograph, 0.85)[:, 76:], head(photograph, 0.5)
    picture[: len(large), : large.shape[1]] = large
    picture[60 : 60 + len(small), 300 : 300 + small.shape[1]] = small
    choice = choose_face(picture)
    assert choice is not None
    assert choice.box.left > 300
    assert choice.box.right - choice.box.left < 80


def test_whole_in_most_frames() -> None:
    points = np.full((5, 68, 2), 50.0)
    assert is_whole(points, (100, 60))
    points[:2, 0, 1] = 70
    assert is_whole(points, (100, 60))
    points[2, 5, 0] = -1
    assert not is_whole(points, (100, 60))


def test_frontality_of_tilted_faces(photograph: Image) -> None:
    upright = choose_face(photograph)
    assert upright is not None
    angle = np.deg2rad(25)
    lean = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert frontal((upright.points_68x2 @ lean)[None]) == pytest.approx(upright.frontal, abs=1e-3)


def test_the_share_outside_by_hand(photograph: Image) -> None:
    choice = choose_face(photograph)
    assert choice is not None
    assert choice.outside == 0.0
    cut = photograph[:, 200:]
    transform = align(choice.points_68x2[None] - np.array([200, 0], np.float32), per_frame=True, smoothing=0.0)[0]
    corners = np.stack([*np.meshgrid(np.arange(128), np.arange(128)), np.ones((128, 128))], axis=-1)
    back = np.linalg.inv(np.vstack([transform, [0, 0, 1]]))
    from_the_left = (corners @ back.T)[..., 0]
    share = share_outside(transform, (cut.shape[1], cut.shape[0]))
    assert 0.1 < share < 0.9
    assert share == pytest.approx((from_the_left < 0).mean(), abs=0.02)
