"""Teeth that are drawn for a photograph without any."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.draw_teeth import WIDTHS, draw_teeth
from pipeline.inference.inputs import read_image, read_reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.teeth_row import BELOW, FRONT, MouthPatch, TeethRow
from pipeline.landmarks.points import INNER_LIPS
from tests.inference.drawn_face import ENLARGED, face, placements, reference_of

Image = NDArray[np.uint8]
SIDE = 512


def row_in(image: Image) -> TeethRow:
    whole = Photograph(image, reference_of(image, face()))
    return draw_teeth(whole, MouthPatch(whole))


def plain(colour: tuple[int, int, int]) -> Image:
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


def enamel(row: TeethRow) -> NDArray[np.float32]:
    """Return the lightest colour of the front teeth, in CIELAB."""
    lab = cv2.cvtColor(row.colours_HWC.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[row.mask_HW]
    return np.asarray(lab[np.argmax(lab[:, 0])], np.float32)


def test_teeth_are_as_light_as_the_cheeks_are() -> None:
    lightness = [float(enamel(row_in(plain((level, level, level))))[0]) for level in range(20, 220, 20)]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] < 40, "teeth differ less than cheeks"


def test_teeth_have_the_colour_of_the_light() -> None:
    """Warm light makes them warmer, but less than skin."""
    _, _, grey = enamel(row_in(plain((150, 150, 150))))
    _, red, warm = enamel(row_in(plain((200, 150, 100))))
    _, _, cold = enamel(row_in(plain((130, 150, 190))))
    assert cold < grey < warm
    skin = cv2.cvtColor(plain((200, 150, 100))[:1, :1].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    assert 0 < red < skin[1]
    assert 0 < warm < skin[2]


def test_only_the_cheeks_count() -> None:
    """Hair and background do not change the teeth."""
    image = plain((180, 140, 120))
    other = image.copy()
    other[:160] = other[440:] = other[:, :80] = other[:, 430:] = (0, 90, 255)
    other[310:345, 200:312] = (150, 0, 0)  # the mouth
    np.testing.assert_array_equal(row_in(other).colours_HWC, row_in(image).colours_HWC)
    image[160:310] = (90, 60, 50)
    assert enamel(row_in(image))[0] < enamel(row_in(other))[0]


def test_a_smile_in_the_dark_gets_darker_teeth(shipped: TalkingHead, face_file: Path) -> None:
    image = read_image(face_file)
    reference = read_reference(face_file, shipped.preprocessing)
    rows = []
    for picture in (image, (image * 0.5).astype(np.uint8)):
        whole = Photograph(picture, reference)
        rows.append(draw_teeth(whole, MouthPatch(whole)))
    assert enamel(rows[1])[0] < enamel(rows[0])[0] - 5
    np.testing.assert_array_equal(rows[0].mask_HW, rows[1].mask_HW)


def test_both_sides_are_equal() -> None:
    row = row_in(plain((180, 140, 120)))
    mask, colours = row.mask_HW, row.colours_HWC
    np.testing.assert_array_equal(mask, mask[:, ::-1])
    np.testing.assert_allclose(colours.astype(int), colours[:, ::-1], atol=1)


def test_the_row_has_the_shape_of_teeth() -> None:
    image = np.full((2 * SIDE, 2 * SIDE, 3), (180, 140, 120), np.uint8)
    whole = Photograph(image, reference_of(image, face(), 2 * ENLARGED))
    row = draw_teeth(whole, MouthPatch(whole))
    assert row.width == pytest.approx(2 * WIDTHS.sum(), abs=0.02)
    middle, eyes = row.patch.size[0] // 2, row.patch.eyes
    edges = row.mask_HW.shape[0] - np.argmax(row.mask_HW[::-1], axis=0)
    incisor, lateral, canine, last = (edges[middle + round(x * eyes)] for x in (0.04, 0.12, 0.19, 0.33))
    assert incisor > canine > lateral > last
    light = row.colours_HWC[row.patch.size[1] // 2 - round(0.06 * eyes)].astype(int).sum(axis=1)
    between = middle + round(WIDTHS[0] * eyes)
    assert light[between] < 0.9 * light[between - 16], "dark lines separate them"
    assert light[middle + round(0.325 * eyes)] < 0.7 * light[middle + round(0.04 * eyes)], "sides are darker"


def test_drawn_teeth_hang_just_below_the_closed_lips(shipped: TalkingHead, face_file: Path) -> None:
    reference = read_reference(face_file, shipped.preprocessing)
    whole = Photograph(read_image(face_file), reference)
    patch = MouthPatch(whole)
    teeth = draw_teeth(whole, patch).place(whole.points_68x2, whole.size)
    line = whole.points_68x2[INNER_LIPS].mean(axis=0) - (teeth.window.left, teeth.window.top)
    rows, columns = np.nonzero(teeth.alpha_HW > 0.5)
    front = np.abs(columns - line[0]) < 0.5 * FRONT * patch.eyes
    below = (rows[front].max() - line[1]) / patch.eyes
    assert BELOW[0] - 0.02 <= below <= BELOW[1] + 0.02


@settings(max_examples=40)
@given(data=st.data())
def test_the_face_may_be_anywhere(data: st.DataObject) -> None:
    """Turned, small, or partly outside the photograph."""
    back_2x3 = data.draw(placements((160, 120)).filter(lambda back: np.hypot(*back[:, 0]) > 0.4))
    image = np.full((120, 160, 3), (180, 140, 120), np.uint8)
    whole = Photograph(image, reference_of(image, face(), back_2x3))
    row = draw_teeth(whole, MouthPatch(whole))
    assert row.mask_HW.any()
    assert enamel(row)[0] == pytest.approx(float(enamel(row_in(plain((180, 140, 120))))[0]), abs=15)


def test_a_picture_is_not_changed() -> None:
    image = plain((180, 140, 120))
    reference = reference_of(image, face())
    whole = Photograph(image, replace(reference))
    draw_teeth(whole, MouthPatch(whole))
    np.testing.assert_array_equal(whole.picture_HWC, plain((180, 140, 120)))
