"""The person's own teeth: in their place, behind the lips."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.pixels import Window
from pipeline.inference.compositing.teeth import APPEAR, DEPTH, LIT, SHADED, Teeth
from pipeline.landmarks.points import MOUTH
from tests.inference.drawn_face import EYES, LIPS_Y, SCALE, face, one_frame, picture, plain, reference_of

TEETH = Window(30, 20, 110, 60)
FRAME = Window(0, 0, 140, 120)
BLACK = np.zeros((120, 140, 3), np.uint8)
MIDDLE = 70


def teeth(window: Window = TEETH, eyes: float = 100.0) -> Teeth:
    """Return teeth that are brighter from left to right, without soft edges."""
    width, height = window.size
    colours = np.repeat(np.tile(np.linspace(150, 250, width), (height, 1))[..., None], 3, axis=2).astype(np.uint8)
    return Teeth(colours, np.ones((height, width), np.float32), window, eyes)


def opening(top: int, bottom: int) -> NDArray[np.float32]:
    """Return an opening of the mouth between two rows."""
    inside = np.zeros((120, 140), np.float32)
    inside[top:bottom, 20:120] = 1
    return inside


def test_teeth_stay_in_their_place() -> None:
    """The opening moves over them, in parts of the picture that begin elsewhere."""
    wide, moved = opening(10, 90), opening(16, 110)
    here, there = Window(0, 0, 140, 120), Window(55, 29, 125, 118)
    shown = teeth().draw(BLACK, wide, here)
    again = BLACK.copy()
    again[there.part] = teeth().draw(BLACK[there.part], moved[there.part], there)
    both = (slice(30, 60), slice(55, 110))
    assert shown[both].min() > 100
    np.testing.assert_array_equal(shown[both], again[both])


def test_teeth_are_darker_near_the_lips() -> None:
    own, eyes = teeth().colours_HWC[0, MIDDLE - TEETH.left, 0], teeth().eyes
    column = teeth().draw(BLACK, opening(22, 118), FRAME)[:, MIDDLE, 0].astype(float)
    depth = round(DEPTH * eyes)
    assert column[22] == pytest.approx(own * (SHADED + (LIT - SHADED) / depth), abs=2)
    assert (np.diff(column[22 : 22 + depth]) > 0).all()
    np.testing.assert_allclose(column[22 + depth : 60], own * LIT, atol=1)


@given(top=st.integers(0, 119), height=st.integers(1, 119), left=st.integers(-60, 120), up=st.integers(-60, 110))
def test_teeth_never_leave_the_opening(top: int, height: int, left: int, up: int) -> None:
    inside = cv2.GaussianBlur(opening(top, min(120, top + height)), (0, 0), 1.5).astype(np.float32)
    own = Window(left, up, left + 80, up + 40)
    changed = teeth(own).draw(BLACK, inside, FRAME).max(axis=2) > 0
    where = np.zeros_like(changed)
    where[max(0, up) : max(0, up + 40), max(0, left) : max(0, left + 80)] = True
    assert not changed[(inside == 0) | ~where].any()


def test_soft_edges_of_teeth_and_of_the_opening_are_mixed() -> None:
    half = Teeth(teeth().colours_HWC, np.full((40, 80), 0.5, np.float32), TEETH, 100.0)
    full, soft = (one.draw(BLACK, opening(10, 90), FRAME)[40, MIDDLE, 0] for one in (teeth(), half))
    assert soft == pytest.approx(full / 2, abs=1)
    narrow = opening(10, 90)
    narrow[:, MIDDLE] = 0.6
    assert teeth().draw(BLACK, narrow, FRAME)[40, MIDDLE, 0] == pytest.approx(0.6 * full, abs=1)


def test_lips_that_hardly_part_show_no_teeth() -> None:
    """They appear while the opening grows."""
    eyes = 400.0
    nearest, full = (round(2 * half * eyes) for half in APPEAR)
    tops = [40 - height // 2 for height in range(full + 3)]
    openings = [opening(top, top + height) for height, top in enumerate(tops)]
    levels = [int(teeth(eyes=eyes).draw(BLACK, inside, FRAME)[40, MIDDLE, 0]) for inside in openings]
    assert not any(levels[: nearest + 1])
    assert levels == sorted(levels)
    assert levels[-1] > 70
    assert max(np.diff(levels)) < 0.3 * levels[-1]


def test_teeth_beside_the_part_change_nothing() -> None:
    away = Window(200, 200, 260, 240)
    part = picture((60, 40))
    np.testing.assert_array_equal(teeth().draw(part, np.ones((40, 60), np.float32), away), part)


def test_drawing_does_not_change_the_given_pixels() -> None:
    part, inside = picture((140, 120)), opening(10, 90)
    before = part.copy()
    assert (teeth().draw(part, inside, FRAME) != before).any()
    np.testing.assert_array_equal(part, before)
    np.testing.assert_array_equal(inside, opening(10, 90))


@pytest.fixture(scope="module")
def smiling() -> tuple[Photograph, Photograph]:
    """A photograph without and with teeth, which are behind its closed lips."""
    image = picture()
    reference = reference_of(image, face())
    middle, line = SCALE * 64, int(SCALE * LIPS_Y)
    window = Window(middle - 60, line - 30, middle + 60, line + 20)
    colours = np.full((50, 120, 3), (250, 240, 220), np.uint8)
    own = Teeth(colours, np.ones((50, 120), np.float32), window, SCALE * EYES)
    return Photograph(image, reference), Photograph(image, reference, own)


def spoken(whole: Photograph, gap: float, down: float = 0.0) -> NDArray[np.uint8]:
    points = face(gap)
    points[MOUTH, 1] += down
    (frame,) = whole.frames([one_frame(whole.moved.reference, plain((90, 0, 0)), points)])
    return frame


def test_closed_lips_show_no_teeth(smiling: tuple[Photograph, Photograph]) -> None:
    without, own = smiling
    for down in (0, 3):
        np.testing.assert_array_equal(spoken(own, 1.0, down), spoken(without, 1.0, down))


def test_the_lips_of_a_photograph_move_over_its_teeth(smiling: tuple[Photograph, Photograph]) -> None:
    """The edge of the upper teeth stays where it is while the mouth moves down and opens."""
    without, own = smiling
    line = int(SCALE * LIPS_Y)
    for gap, down in ((14, 0), (18, 2), (22, 3)):
        frame, plain_frame = spoken(own, gap, down), spoken(without, gap, down)
        toothed = cv2.absdiff(frame, plain_frame)[:, SCALE * 64].any(axis=1)
        assert np.flatnonzero(toothed).max() == line + 19
        lip = SCALE * (LIPS_Y + down - (gap - 1) / 2)
        assert np.flatnonzero(toothed).min() == pytest.approx(max(lip, line - 30), abs=6)
        np.testing.assert_array_equal(frame[: line - 60], plain_frame[: line - 60])
