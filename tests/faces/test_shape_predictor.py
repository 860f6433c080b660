"""The 68 points equal dlib's when they are rounded."""

from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces import shape_predictor
from pipeline.faces.detect import Box, detect_faces
from pipeline.faces.shape_predictor import predict_landmarks, shape_predictor_path
from pipeline.media import read_frames
from pipeline.runtime.errors import PipelineError

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def predictor() -> Any:
    return dlib.shape_predictor(str(shape_predictor_path()))


def dlibs(predictor: Any, frame: Image, box: Box) -> NDArray[np.int64]:
    sides = dlib.rectangle(int(box.left), int(box.top), int(box.right), int(box.bottom))
    return np.array([(point.x, point.y) for point in predictor(frame, sides).parts()])


def assert_rounded(points: NDArray[np.float32], reference: NDArray[np.int64]) -> None:
    """Rounded points equal ``reference``; a point halfway between two pixels may go to either."""
    unequal = np.floor(points + 0.5) != reference
    half_way = np.abs(points - np.floor(points) - 0.5) < 1e-4
    assert not (unequal & ~half_way).any()
    assert unequal.mean() < 0.02
    assert np.abs(points - reference).max() < 0.5 + 1e-4


@pytest.mark.parametrize("name", ["s1/bbaf3s.mpg", "s5/lbax4n.mpg", "s31/bgiq6p.mpg"])
def test_rounded_points_equal_dlibs_on_real_clips(corpora: Path, predictor: Any, name: str) -> None:
    frames = list(read_frames(corpora / "grid" / name))[::5]
    boxes = [detect_faces(frame)[0] for frame in frames]
    points = predict_landmarks(frames, boxes)
    assert_rounded(points, np.array([dlibs(predictor, *pair) for pair in zip(frames, boxes, strict=True)]))
    assert np.abs(points - np.round(points)).mean() > 0.2  # they are fractions


@settings(max_examples=100)
@given(
    left=st.integers(60, 240),
    top=st.integers(-20, 160),
    width=st.integers(30, 300),
    height=st.integers(30, 300),
)
def test_rounded_points_equal_dlibs_in_any_box(
    photograph: Image, predictor: Any, left: int, top: int, width: int, height: int
) -> None:
    """Boxes may have no face, unequal sides, and lie across the picture's edge."""
    box = Box(left, top, left + width, top + height)
    assert_rounded(predict_landmarks([photograph], [box])[0], dlibs(predictor, photograph, box))


def test_many_faces_at_once_equal_each_alone(photograph: Image) -> None:
    small = np.asarray(cv2.resize(photograph, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    frames, boxes = [photograph, small, photograph], [Box(175, 70, 285, 180), Box(70, 28, 114, 72), Box(0.5, 0, 90, 99)]
    alone = [predict_landmarks([frame], [box])[0] for frame, box in zip(frames, boxes, strict=True)]
    np.testing.assert_array_equal(predict_landmarks(frames, boxes), alone)
    assert predict_landmarks([], []).shape == (0, 68, 2)


@pytest.mark.parametrize("part", [0.0, 0.2, 0.4, 0.8])
def test_fractions_equal_dlibs_on_an_enlarged_picture(photograph: Image, predictor: Any, part: float) -> None:
    """Pixel x becomes pixels 5 x to 5 x + 4 with middle 5 x + 2, so dlib's whole pixels are fifths."""
    box = Box(175 + part, 70 + part, 285 + part, 180 + part)
    repeated = np.repeat(np.repeat(photograph, 5, axis=0), 5, axis=1)
    sides = (round(5 * side + 2) for side in (box.left, box.top, box.right, box.bottom))
    fifths = (dlibs(predictor, repeated, Box(*sides)) - 2) / 5
    apart = np.abs(predict_landmarks([photograph], [box])[0] - fifths)
    assert np.mean(apart <= 0.101) > 0.98
    assert apart.max() < 0.3


@pytest.mark.parametrize("size", [0, 133, 1_000_000])
def test_an_incomplete_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    with shape_predictor_path().open("rb") as whole:
        (tmp_path / "model.dat").write_bytes(whole.read(size))
    monkeypatch.setattr(shape_predictor, "shape_predictor_path", lambda: tmp_path / "model.dat")
    with pytest.raises(PipelineError, match=r"model\.dat .* is not the 68-point model .* Install it again"):
        shape_predictor.load_model.__wrapped__()


@pytest.mark.parametrize("box", [Box(-40, -40, 60, 60), Box(-300, -300, -200, -200), Box(500, 500, 500, 500)])
def test_points_at_and_beyond_the_edge_of_the_picture(photograph: Image, box: Box) -> None:
    points = predict_landmarks([photograph], [box])
    assert points.shape == (1, 68, 2)
    assert np.isfinite(points).all()
