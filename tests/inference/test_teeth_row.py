"""A row of upper teeth: its size, and its place behind closed lips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.compositing.pixels import Window
from pipeline.inference.teeth_row import BELOW, FRONT, REACH, WIDER, MouthPatch, TeethRow, ellipse
from pipeline.landmarks.points import INNER_LIPS, MOUTH
from pipeline.landmarks.similarity import apply_similarity
from tests.inference.drawn_face import ENLARGED, EYES, LIPS_Y, SCALE, face, picture, placements, reference_of

TILTED = np.array([[2.4, -1.8, 200.0], [1.8, 2.4, -20.0]])  # 3 pixels per pixel of the crop, turned by 37 degrees


def patch_of(back_2x3: NDArray[np.float64] = ENLARGED, image: NDArray[np.uint8] | None = None) -> MouthPatch:
    image = picture() if image is None else image
    return MouthPatch(Photograph(image, reference_of(image, face(), back_2x3)))


def row_of(patch: MouthPatch, top: float, edge: float, reach: float = 0.3) -> TeethRow:
    """Return teeth between two heights and with this reach from the patch's middle, in eye distances."""
    width, height = patch.size
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns - (width - 1) / 2) / patch.eyes, (rows - (height - 1) / 2) / patch.eyes
    colours = np.stack([255 * rows / height, 255 * columns / width, 0 * rows], axis=-1).astype(np.uint8)
    return TeethRow(patch, colours, (np.abs(x) < reach) & (y > top) & (y < edge))


def front_edge(row: TeethRow, back_2x3: NDArray[np.float64] = ENLARGED, down: float = 0.0) -> float:
    """Return how far the edge of the placed front teeth is below closed lips, which are moved down."""
    points = face()
    points[MOUTH, 1] += down
    size = (SCALE * SIZE, SCALE * SIZE)
    teeth = row.place(apply_similarity(back_2x3, points), size)
    line = points[INNER_LIPS].mean(axis=0)
    depths = np.linspace(-0.3, 0.3, 1201)
    where = np.stack([np.full_like(depths, line[0]), line[1] + depths * EYES], axis=1)
    x, y = (np.round(apply_similarity(back_2x3, where)) - (teeth.window.left, teeth.window.top)).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < teeth.window.size[0]) & (y < teeth.window.size[1])
    shown = teeth.alpha_HW[y[inside], x[inside]] > 0.5
    return float(depths[inside][shown].max())


@pytest.mark.parametrize("back_2x3", [ENLARGED, TILTED], ids=["upright", "tilted"])
def test_the_patch_shows_an_upright_mouth(back_2x3: NDArray[np.float64]) -> None:
    """In as many pixels as the photograph has."""
    image = picture()
    patch = patch_of(back_2x3, image)
    scale = float(np.hypot(*back_2x3[:, 0]))
    assert patch.eyes == pytest.approx(scale * EYES, rel=0.01)
    reach = REACH * patch.eyes + (round(WIDER * patch.eyes), 0)
    np.testing.assert_allclose(patch.size, 2 * reach, atol=1)
    np.testing.assert_allclose(patch.points_68x2[INNER_LIPS].mean(axis=0), reach, atol=0.01)
    np.testing.assert_allclose(np.ptp(patch.points_68x2, axis=0), scale * np.ptp(face(), axis=0), rtol=1e-4)
    in_photograph = apply_similarity(patch.back_2x3, patch.points_68x2)
    np.testing.assert_allclose(in_photograph, apply_similarity(back_2x3, face()), atol=0.01)
    x, y = patch.size[0] // 3, patch.size[1] // 2
    at = np.round(apply_similarity(patch.back_2x3, np.array([[x, y]]))[0]).astype(int)
    around = image[at[1] - 1 : at[1] + 2, at[0] - 1 : at[0] + 2]
    assert around.min() - 3 <= patch.image_HWC[y, x, 0] <= around.max() + 3


@pytest.mark.parametrize("back_2x3", [ENLARGED, TILTED, ENLARGED / 2], ids=["upright", "tilted", "small"])
def test_width_and_area_are_in_eye_distances(back_2x3: NDArray[np.float64]) -> None:
    row = row_of(patch_of(back_2x3), -0.05, 0.07)
    assert row.width == pytest.approx(0.6, rel=0.03)
    assert row.area == pytest.approx(0.6 * 0.12, rel=0.06)


@settings(max_examples=30)
@given(edge=st.floats(-0.15, 0.3), down=st.floats(-6, 6), tilted=st.booleans())
def test_front_teeth_end_below_the_closed_lips(edge: float, down: float, tilted: bool) -> None:
    back_2x3 = TILTED if tilted else ENLARGED
    row = row_of(patch_of(back_2x3), edge - 0.1, edge)
    pixels = 2 / (EYES * float(np.hypot(*back_2x3[:, 0])))
    wanted = np.clip(edge - down / EYES, *BELOW)
    assert front_edge(row, back_2x3, down) == pytest.approx(wanted, abs=pixels)


def test_only_the_front_teeth_count() -> None:
    patch = patch_of()
    row = row_of(patch, -0.1, 0.06)
    columns = np.abs(np.arange(patch.size[0]) - patch.size[0] / 2) > FRONT * patch.eyes
    row.mask_HW[patch.size[1] // 2 :, columns] = False
    assert front_edge(row) == pytest.approx(0.06, abs=0.02)


def test_teeth_in_their_place_are_the_photograph_s() -> None:
    """Their pixels do not move if their edge is far enough below the closed lips."""
    image = picture()
    patch = patch_of(image=image)
    row = TeethRow(patch, patch.image_HWC, row_of(patch, -0.05, sum(BELOW) / 2).mask_HW)
    teeth = row.place(apply_similarity(ENLARGED, face()), (SCALE * SIZE, SCALE * SIZE))
    own = image[teeth.window.part]
    line = int(SCALE * LIPS_Y) - teeth.window.top
    middle = teeth.window.size[0] // 2
    teeth_part = (slice(line - 6, line), slice(middle - 30, middle + 30))
    assert teeth.alpha_HW[teeth_part].min() > 0.9
    apart = [np.abs(teeth.colours_HWC.astype(int) - np.roll(own, y, axis=0))[teeth_part].mean() for y in range(-3, 4)]
    assert int(np.argmin(apart)) == 3, "not moved"
    assert apart[3] < 0.5 * sorted(apart)[1]


def test_hidden_parts_have_the_colour_of_the_tooth_below() -> None:
    """A smile hides the upper ends of the teeth; moved lips may show them."""
    patch = patch_of()
    row = row_of(patch, 0.0, 0.06)
    teeth = row.place(apply_similarity(ENLARGED, face()), (SCALE * SIZE, SCALE * SIZE))
    top = int(SCALE * LIPS_Y) - teeth.window.top
    column = teeth.window.size[0] // 2
    assert (teeth.alpha_HW[2 : top + 1, column] > 0.99).all()
    np.testing.assert_allclose(np.ptp(teeth.colours_HWC[2 : top - 2, column].astype(int), axis=0), 0)
    assert teeth.colours_HWC[2, column, 0] == pytest.approx(255 * (0.01 + REACH[1]) / (2 * REACH[1]), abs=4)
    assert not (teeth.alpha_HW[:, : column - round(0.34 * patch.eyes)] > 0.01).any(), "nothing beside the row"


@settings(max_examples=40)
@given(data=st.data())
def test_the_face_may_be_anywhere(data: st.DataObject) -> None:
    """Turned, small, or partly outside the photograph."""
    back_2x3 = data.draw(placements((160, 120)).filter(lambda back: np.hypot(*back[:, 0]) > 0.4))
    image = picture((160, 120))
    row = row_of(patch_of(back_2x3, image), -0.05, 0.1)
    teeth = row.place(apply_similarity(back_2x3, face()), (160, 120))
    width, height = teeth.window.size
    assert teeth.colours_HWC.shape == (height, width, 3)
    assert teeth.alpha_HW.shape == (height, width)
    assert 0 <= teeth.alpha_HW.min() <= teeth.alpha_HW.max() < 1.001
    assert teeth.window.within(Window(0, 0, 160, 120)) == teeth.window


def test_an_ellipse_reaches_as_far_as_asked() -> None:
    assert ellipse(3).shape == (7, 7)
    assert ellipse(2, 5).shape == (5, 11)
    assert ellipse(0.1).shape == (3, 3), "at least one pixel"
