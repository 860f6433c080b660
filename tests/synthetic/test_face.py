import numpy as np
import pytest

from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.synthetic.face import Face, Pose
from pipeline.synthetic.speakers import draw_appearances
from pipeline.synthetic.subject import sample_subject
from pipeline.synthetic.warp import GRID_H, GRID_W, enlarge, interpolate, inverse_map

WHOLE = (slice(None), slice(None))


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(sample_subject(draw_appearances(1, seed=0)[0]))


def test_a_shift_comes_back_as_that_shift() -> None:
    field = np.empty((2, GRID_H, GRID_W), np.float32)
    field[0], field[1] = 3.0, -2.0
    source = enlarge(inverse_map(field, WHOLE))
    assert source.shape == (288, 360, 2)
    np.testing.assert_allclose(source[100, 200], (200 - 3, 100 + 2), atol=1e-4)


def test_inverse_undoes_the_field() -> None:
    points = np.array([[0, 0], [359, 0], [0, 287], [359, 287], [180, 144], [180, 60], [100, 144]], float)
    moved = np.zeros_like(points)
    moved[4] = (6, 10)
    field = interpolate(points, moved)
    source = enlarge(inverse_map(field, WHOLE, iterations=12))
    # What ends at (186, 154) began at the control point (180, 144).
    np.testing.assert_allclose(source[154, 186], (180, 144), atol=0.3)


def test_opening_shows_and_is_measured(face: Face) -> None:
    closed, small, wide = (face.render(Pose(opening=opening)) for opening in (0.0, 0.5, 1.0))
    assert closed[0].shape == (288, 360, 3)
    assert closed[0].dtype == np.uint8
    assert closed[1].opening == 0
    assert 0.25 < wide[1].opening / wide[1].width < 0.35
    assert small[1].opening == pytest.approx(wide[1].opening / 2, rel=0.05)
    assert np.abs(wide[0].astype(int) - closed[0]).max() > 100


def test_only_the_lower_face_moves_with_the_mouth(face: Face) -> None:
    difference = np.abs(face.render(Pose(opening=0.8))[0].astype(int) - face.render(Pose())[0]).max(axis=2)
    assert difference[:110].max() <= 2
    assert np.median(difference[:, :60]) == 0
    assert np.median(difference[:, 300:]) == 0


def test_rounding_narrows_and_spreading_widens(face: Face) -> None:
    pursed, rest, spread = (face.render(Pose(width=width))[1].width for width in (-1.0, 0.0, 1.0))
    assert pursed < 0.85 * rest
    assert spread > 1.1 * rest


def test_blink_closes_the_eyes_for_that_frame_alone(face: Face) -> None:
    before, shut, after = (face.render(Pose(blink=blink))[0] for blink in (0.0, 1.0, 0.0))
    np.testing.assert_array_equal(before, after)
    points = predict_landmarks([before], detect_faces(before)[:1])[0]
    changed = np.abs(shut.astype(int) - before).max(axis=2) > 20
    for eye in (points[36:42], points[42:48]):
        x, y = np.round(eye.mean(axis=0)).astype(int)
        assert changed[y - 2 : y + 3, x - 3 : x + 4].mean() > 0.5
    assert not changed[int(points[33, 1]) :].any()
