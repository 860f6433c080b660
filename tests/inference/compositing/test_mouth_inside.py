"""The opening between the lips of a face."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.inference.compositing.mouth_inside import MouthInside
from pipeline.inference.compositing.pixels import Window
from pipeline.landmarks.mouth_calibration import PARTED
from pipeline.landmarks.points import INNER_LIPS
from pipeline.landmarks.similarity import apply_similarity
from tests.inference.drawn_face import CLOSED, ENLARGED, EYES, SCALE, face, placements

WHOLE = Window(0, 0, SCALE * SIZE, SCALE * SIZE)
INVISIBLE = 1 / 512
"""A share that changes no level of 255."""


def drawn(gap: float, own: float = CLOSED, window: Window = WHOLE) -> NDArray[np.float32]:
    """Draw the opening of a face with inner lips ``gap`` pixels of the crop apart, and ``own`` in its picture."""
    inside = MouthInside(face(own), ENLARGED)
    return inside.draw(inside.part_lips(face(gap)[None])[0], window)


def height(opening_HW: NDArray[np.float32]) -> float:
    """Return the height in the middle of the mouth, in pixels of the crop."""
    return float(opening_HW[:, SCALE * SIZE // 2].sum()) / SCALE


@given(gap=st.floats(-3, PARTED * EYES - 0.05))
def test_closed_lips_show_no_opening(gap: float) -> None:
    """dlib finds the inner lips of closed mouths some pixels apart, or crossing."""
    assert drawn(gap, own=gap).max() < INVISIBLE
    assert not drawn(min(gap, CLOSED)).any()


def test_the_opening_grows_with_the_landmarks() -> None:
    heights = [height(drawn(gap)) for gap in np.arange(CLOSED, CLOSED + 12, 0.5)]
    assert heights[0] == 0
    assert (np.diff(heights)[1:] > 0).all()


@pytest.mark.parametrize("gap", [4.0, 8.0, 14.0])
def test_the_opening_is_as_high_as_the_lips_are_apart(gap: float) -> None:
    for own in (CLOSED, 1.6, 8.0):
        assert height(drawn(gap, own)) == pytest.approx(gap, abs=0.4)


@given(gap=st.floats(-3, 12), own=st.floats(-3, 8))
def test_only_the_inner_lips_come_together(gap: float, own: float) -> None:
    """Closed ones touch in the middle between them. Further apart they stay where the landmarks are."""
    points_68x2 = face(gap)
    (shown_68x2,) = MouthInside(face(own), ENLARGED).part_lips(points_68x2[None])
    np.testing.assert_array_equal(points_68x2, face(gap))
    upper, lower = [61, 62, 63], [67, 66, 65]
    others = np.setdiff1d(np.arange(68), upper + lower)
    np.testing.assert_array_equal(shown_68x2[others], points_68x2[others])
    middles = (points_68x2[upper] + points_68x2[lower]) / 2
    np.testing.assert_allclose((shown_68x2[upper] + shown_68x2[lower]) / 2, middles, atol=1e-4)
    apart = shown_68x2[lower, 1] - shown_68x2[upper, 1]
    assert (apart >= 0).all()
    assert (apart <= max(gap, 0) + 1e-4).all()
    if gap > PARTED * EYES + 2:
        np.testing.assert_allclose(shown_68x2, points_68x2, atol=1e-4)
    if gap <= 0.7:
        assert not apart.any()


def test_a_chunk_of_faces_parts_as_single_ones() -> None:
    inside, points_T68x2 = MouthInside(face(), ENLARGED), np.stack([face(gap) for gap in (1, 2, 3, 9)])
    single = [inside.part_lips(points_68x2[None])[0] for points_68x2 in points_T68x2]
    np.testing.assert_array_equal(inside.part_lips(points_T68x2), single)


def test_a_mouth_that_begins_to_open_fades_in() -> None:
    levels = [float(drawn(gap).max()) for gap in np.linspace(CLOSED, CLOSED + 0.12 * EYES, 100)]
    assert levels[0] < INVISIBLE
    assert levels == sorted(levels)
    assert max(np.diff(levels)) < 0.25
    assert levels[-1] > 0.99


@pytest.mark.parametrize("gap", [3.0, 8.0])
def test_the_opening_lies_between_the_lips(gap: float) -> None:
    between = np.zeros((SCALE * SIZE, SCALE * SIZE), np.uint8)
    inner = apply_similarity(ENLARGED, face(gap)[INNER_LIPS])
    cv2.fillPoly(between, [np.round(inner).astype(np.int32)], 1)
    opening = drawn(gap) > 0.5
    assert opening.any()
    assert not opening[cv2.dilate(between, np.ones((3, 3), np.uint8)) == 0].any()


@pytest.mark.parametrize(("right", "down"), [(0.1, 0.0), (0.0, 0.4), (-2.1, 1.3)])
def test_the_opening_moves_with_the_lips(right: float, down: float) -> None:
    rows, columns = np.mgrid[: SCALE * SIZE, : SCALE * SIZE]
    inside, middles = MouthInside(face(), ENLARGED), []
    for points in (face(8), face(8) + np.array([right, down], np.float32)):
        opening = inside.draw(points, WHOLE)
        middles.append(np.array([(columns * opening).sum(), (rows * opening).sum()]) / opening.sum())
    moved_right, moved_down = (middles[1] - middles[0]) / SCALE
    assert moved_right == pytest.approx(right, abs=0.02)
    assert moved_down == pytest.approx(down, abs=0.2)


def test_a_part_of_the_picture_shows_the_same_opening() -> None:
    part = Window(170, 290, 340, 370)
    np.testing.assert_array_equal(drawn(8, window=part), drawn(8)[part.part])
    assert not drawn(8, window=Window(0, 0, 60, 50)).any()


@given(data=st.data(), gap=st.floats(-5, 40), own=st.floats(-5, 20))
def test_the_face_may_be_anywhere(data: st.DataObject, gap: float, own: float) -> None:
    back_2x3 = data.draw(placements((90, 70)))
    opening = MouthInside(face(own), back_2x3).draw(face(gap), Window(10, 20, 90, 70))
    assert opening.shape == (50, 80)
    assert opening.min() >= 0
    assert opening.max() <= 1
