"""Tracking one face, of a moved photograph and in real clips."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.config.params import FaceRule, Landmarks
from pipeline.faces.detect import Box, detect_faces
from pipeline.faces.select import weight
from pipeline.faces.shape_predictor import shape_predictor_path
from pipeline.faces.track import Track, track_face
from pipeline.media import read_frames

Image = NDArray[np.uint8]


def placed(photograph: Image, x: float, y: float, scale: float = 0.7) -> Image:
    """The photograph's face on a grey picture of 360x288, with its middle at (x, y)."""
    middle = np.array([225.0, 115.0])
    shift = np.array([x, y]) - scale * middle
    transform = np.column_stack([np.eye(2) * scale, shift])
    return np.asarray(cv2.warpAffine(photograph, transform, (360, 288), borderValue=(120, 120, 120)), np.uint8)


def per_frame(frames: list[Image]) -> NDArray[np.float32]:
    """Reference by dlib alone: detection in every frame, points in whole pixels."""
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(shape_predictor_path()))
    shapes = (predictor(frame, detector(frame, 1)[0]) for frame in frames)
    return np.array([[(point.x, point.y) for point in shape.parts()] for shape in shapes], np.float32)


def grid(corpora: Path, name: str) -> list[Image]:
    return list(read_frames(corpora / "grid" / name))


def test_overlap_by_hand() -> None:
    assert Box(0, 0, 2, 2).overlap(Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert Box(0, 0, 2, 2).overlap(Box(2, 2, 3, 3)) == 0


@pytest.fixture(scope="module")
def tracked(corpora: Path) -> list[tuple[Track, NDArray[np.float32]]]:
    """Tracks of real clips with default parameters, and the points of detection in every frame."""
    names = ["s1/bbaf3s.mpg", "s5/lbax4n.mpg", "s20/brbk7n.mpg"]
    clips = [grid(corpora, name)[:40] for name in names]
    return [(track_face(frames, Landmarks().detect_every), per_frame(frames)) for frames in clips]


@pytest.mark.slow
def test_points_are_near_detection_in_every_frame(tracked: list[tuple[Track, NDArray[np.float32]]]) -> None:
    assert all(track.found_T.all() for track, _ in tracked)
    apart = np.concatenate([np.linalg.norm(track.points_T68x2 - naive, axis=2) for track, naive in tracked])
    assert np.median(apart) <= 0.5
    assert np.percentile(apart, 95) <= 1.0


@pytest.mark.slow
def test_less_jitter_than_detection_in_every_frame(tracked: list[tuple[Track, NDArray[np.float32]]]) -> None:
    for track, naive in tracked:
        ours, theirs = (
            np.linalg.norm(np.diff(points, n=2, axis=0), axis=2).mean() for points in (track.points_T68x2, naive)
        )
        assert ours < 0.9 * theirs


def test_a_moving_face_is_tracked(photograph: Image) -> None:
    frames = [placed(photograph, 100 + 4 * number, 140) for number in range(40)]
    track = track_face(frames, detect_every=15)
    assert track.found_T.all()
    middles = track.points_T68x2[:, 30, 0]  # the tip of the nose
    np.testing.assert_allclose(middles - middles[0], 4.0 * np.arange(40), atol=3)


def test_a_face_that_leaves_is_lost_and_found_again(photograph: Image) -> None:
    empty = np.full((288, 360, 3), 120, np.uint8)
    here, there = placed(photograph, 110, 140), placed(photograph, 250, 140)
    frames = [here] * 20 + [empty] * 20 + [there] * 20
    track = track_face(frames, detect_every=15)
    np.testing.assert_array_equal(track.found_T, [True] * 20 + [False] * 20 + [True] * 20)
    nose = track.points_T68x2[:, 30, 0]
    assert np.isfinite(nose).all()
    np.testing.assert_allclose(nose[40:] - nose[0], 140, atol=4)


def test_a_cut_within_a_chunk_is_noticed(photograph: Image) -> None:
    """The face is away between two key frames; its box is not interpolated across the other shot."""
    other = np.full((288, 360, 3), 250, np.uint8)
    here = placed(photograph, 180, 140)
    track = track_face([here] * 5 + [other] * 5 + [here] * 10, detect_every=15)
    np.testing.assert_array_equal(track.found_T[5:10], False)
    assert track.found_T[:5].all()
    assert track.found_T[10:].all()


def test_the_larger_and_more_central_face_is_kept(photograph: Image) -> None:
    def two(small_x: float) -> Image:
        frame = placed(photograph, 130, 150, 0.8)
        frame[:, 240:] = placed(photograph, small_x, 120, 0.55)[:, 240:]
        return frame

    frames = [two(300 + number % 3) for number in range(30)]
    assert len(detect_faces(frames[0], 1)) == 2
    track = track_face(frames, detect_every=15)
    assert track.found_T.all()
    assert (track.points_T68x2[:, 30, 0] < 200).all()


@pytest.mark.parametrize(
    ("rule", "kept"), [("largest", 130), ("prominent", 130), ("central", 130), ("left", 130), ("right", 290)]
)
def test_rules_choose_a_face(photograph: Image, rule: FaceRule, kept: float) -> None:
    frame = placed(photograph, 130, 150, 0.8)
    frame[:, 240:] = placed(photograph, 300, 120, 0.55)[:, 240:]
    track = track_face([frame] * 3, 37, rule)
    assert track.points_T68x2[:, 30, 0] == pytest.approx([kept] * 3, abs=20)


def test_of_equal_faces_the_more_frequent_is_kept(photograph: Image) -> None:
    both = placed(photograph, 90, 140, 0.6)
    both[:, 180:] = placed(photograph, 270, 140, 0.6)[:, 180:]
    left_alone = both.copy()
    left_alone[:, 180:] = 120
    track = track_face([left_alone] * 6 + [both] * 6, 37)
    assert (track.points_T68x2[:, 30, 0] < 180).all()


@given(
    st.sampled_from(get_args(FaceRule)),
    st.tuples(*[st.floats(-200, 800)] * 2),
    st.tuples(*[st.floats(1, 500)] * 2),
)
def test_every_face_has_weight(rule: FaceRule, corner: tuple[float, float], size: tuple[float, float]) -> None:
    box = Box(*corner, corner[0] + size[0], corner[1] + size[1])
    assert weight(rule, box, (640, 480)) > 0


def test_no_face(photograph: Image) -> None:
    track = track_face([np.full((288, 360, 3), 120, np.uint8)] * 20, detect_every=15)
    assert not track.found_T.any()
    assert np.isnan(track.points_T68x2).all()


def test_few_frames_are_kept_in_memory(photograph: Image) -> None:
    """At most the frames between two key frames are alive."""
    alive = 0
    most = 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= self.base is not None and self.shape == (288, 360, 3)

    def frames() -> Iterator[Image]:
        nonlocal alive, most
        picture = placed(photograph, 180, 140)
        for _ in range(50):
            alive += 1
            most = max(most, alive)
            yield picture.copy().view(Counted)

    track_face(frames(), detect_every=5)
    assert most <= 8
