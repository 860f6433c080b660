"""The 68 points: finer than dlib's, many at once, and rounded the same."""

from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.detect import Box, detect_faces
from pipeline.faces.predict import predict_landmarks, shape_predictor_path
from pipeline.media import read_frames

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def predictor() -> Any:
    return dlib.shape_predictor(str(shape_predictor_path()))


def dlibs(predictor: Any, frame: Image, box: Box) -> NDArray[np.int64]:
    sides = dlib.rectangle(int(box.left), int(box.top), int(box.right), int(box.bottom))
    return np.array([(point.x, point.y) for point in predictor(frame, sides).parts()])


def rounded(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """As dlib rounds."""
    return np.asarray(np.floor(points + np.float32(0.5)))


@pytest.mark.parametrize("name", ["s1/bbaf3s.mpg", "s5/lbax4n.mpg", "s31/bgiq6p.mpg"])
def test_rounded_points_are_dlibs_on_real_clips(corpora: Path, predictor: Any, name: str) -> None:
    frames = list(read_frames(corpora / "grid" / name))[::5]
    boxes = [detect_faces(frame)[0] for frame in frames]
    points = predict_landmarks(frames, boxes)
    reference = [dlibs(predictor, frame, box) for frame, box in zip(frames, boxes, strict=True)]
    np.testing.assert_array_equal(rounded(points), reference)
    assert np.abs(points - rounded(points)).mean() > 0.2  # they are fractions


@settings(max_examples=100, deadline=None)
@given(
    left=st.integers(60, 240),
    top=st.integers(-20, 160),
    width=st.integers(30, 300),
    height=st.integers(30, 300),
)
def test_rounded_points_are_dlibs_in_any_box(
    photograph: Image, predictor: Any, left: int, top: int, width: int, height: int
) -> None:
    """Also where there is no face and the points go astray, where the sides differ, and over the picture's edge."""
    box = Box(left, top, left + width, top + height)
    points = predict_landmarks([photograph], [box])[0]
    np.testing.assert_array_equal(rounded(points), dlibs(predictor, photograph, box))


def test_several_at_once_are_those_of_each(photograph: Image) -> None:
    small = np.asarray(cv2.resize(photograph, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    frames, boxes = [photograph, small, photograph], [Box(175, 70, 285, 180), Box(70, 28, 114, 72), Box(0.5, 0, 90, 99)]
    alone = [predict_landmarks([frame], [box])[0] for frame, box in zip(frames, boxes, strict=True)]
    np.testing.assert_array_equal(predict_landmarks(frames, boxes), alone)
    assert predict_landmarks([], []).shape == (0, 68, 2)


def test_a_box_between_pixels_moves_the_points_with_it(photograph: Image) -> None:
    points = predict_landmarks([photograph] * 3, [Box(175 + part, 70, 285 + part, 180) for part in (0, 0.25, 1)])
    assert 0 < np.abs(points[1] - points[0]).mean() < 1


@pytest.mark.parametrize("box", [Box(-40, -40, 60, 60), Box(-300, -300, -200, -200), Box(500, 500, 500, 500)])
def test_points_at_the_edge_of_the_picture_and_beyond(photograph: Image, box: Box) -> None:
    points = predict_landmarks([photograph], [box])
    assert points.shape == (1, 68, 2)
    assert np.isfinite(points).all()
