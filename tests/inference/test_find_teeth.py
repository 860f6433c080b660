"""Upper teeth in photographs: found where a smile shows them, and not in closed lips."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.inference.closed_lips import WHOLE_ROW
from pipeline.inference.compositing.photograph import Photograph
from pipeline.inference.find_teeth import find_inside, find_seam
from pipeline.inference.inputs import read_image, read_reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.teeth_row import MouthPatch, TeethRow
from pipeline.landmarks.points import INNER_LIPS, OUTER_LIPS
from pipeline.landmarks.similarity import apply_similarity
from tests.inference.drawn_face import ENLARGED, EYES, LIPS_Y, SCALE, face, placements, reference_of

SKIN, LIPS, ENAMEL = (200, 150, 130), (170, 70, 75), (225, 218, 200)
TONGUE, DARK = (120, 30, 35), (40, 20, 20)
GAP = 10.0


def found(patch: MouthPatch) -> TeethRow | None:
    return find_inside(patch).teeth


def patch_in(image: NDArray[np.uint8], head: TalkingHead) -> MouthPatch:
    return MouthPatch(Photograph(image, read_reference("picture", head.preprocessing, image_HWC=image)))


def box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    """Return a rectangle's corners from distances to the middle of the mouth, in pixels of the crop."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.array([(64 + x, LIPS_Y + y) for x, y in corners])


def smile(
    *teeth: NDArray[np.float64],
    back_2x3: NDArray[np.float64] = ENLARGED,
    side: int = SCALE * SIZE,
    inside: tuple[int, int, int] = TONGUE,
    dark: tuple[NDArray[np.float64], ...] = (),
    gap: float = GAP,
    points: NDArray[np.float32] | None = None,
) -> MouthPatch:
    """Return the mouth of a drawn face with these outlines of teeth between its lips, and of dark places."""
    image, points = np.full((side, side, 3), SKIN, np.uint8), face(gap) if points is None else points
    lips: list[tuple[NDArray[np.floating], tuple[int, int, int]]]
    lips = [(points[OUTER_LIPS], LIPS), (points[INNER_LIPS], inside)]
    for outline, colour in (*lips, *((one, DARK) for one in dark), *((one, ENAMEL) for one in teeth)):
        cv2.fillPoly(image, [np.round(apply_similarity(back_2x3, outline)).astype(np.int32)], colour)
    return MouthPatch(Photograph(image, reference_of(image, points, back_2x3)))


UPPER, LOWER = box(-9, -4, 9, 1), box(-7, 2.6, 7, 4.4)


def test_the_teeth_of_a_smile_are_found(shipped: TalkingHead, photograph: NDArray[np.uint8]) -> None:
    patch = patch_in(photograph, shipped)
    row = found(patch)
    assert row is not None
    assert 0.5 < row.width < 0.8
    assert 0.04 < row.area < 0.1
    light, red, _ = cv2.split(cv2.cvtColor(patch.image_HWC.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    lips = np.zeros_like(light, np.uint8)
    cv2.fillPoly(lips, [np.round(patch.points_68x2[OUTER_LIPS]).astype(np.int32)], 1)
    assert (lips[row.mask_HW] == 1).all()
    rest = (lips == 1) & ~row.mask_HW
    assert np.median(red[row.mask_HW]) < 0.4 * np.median(red[rest])
    assert np.median(light[row.mask_HW]) > 1.2 * np.median(light[rest])
    np.testing.assert_array_equal(row.colours_HWC, patch.image_HWC)


def test_closed_lips_have_no_teeth(shipped: TalkingHead, face_file: Path) -> None:
    assert found(patch_in(read_image(face_file), shipped)) is None


def filled(patch: MouthPatch, outline: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the pixels of the patch of an upright face within an outline in the crop."""
    corner = face(GAP)[0] - patch.points_68x2[0] / SCALE
    mask = np.zeros(patch.size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round((outline - corner) * SCALE).astype(np.int32)], 1)
    return mask > 0


def test_drawn_teeth_are_found_to_a_pixel() -> None:
    """Only the upper row. The lower one is smaller."""
    patch = smile(UPPER, LOWER)
    row = found(patch)
    assert row is not None
    upper, edges = filled(patch, UPPER).astype(np.uint8), np.ones((7, 7), np.uint8)
    assert row.mask_HW[cv2.erode(upper, edges) > 0].all()
    assert not row.mask_HW[cv2.dilate(upper, edges) == 0].any()


def test_dark_gaps_between_teeth_belong_to_the_row() -> None:
    parts = [box(left, -4, left + 5.6, 1) for left in (-9, -3, 3)]
    row, whole = found(smile(*parts)), found(smile(UPPER))
    assert row is not None
    assert whole is not None
    assert row.width == pytest.approx(whole.width, abs=0.02)
    assert row.area == pytest.approx(whole.area, rel=0.05)


@pytest.mark.parametrize("tooth", [box(-2, -4, 2, 1), box(-3.2, -4, 3.2, -3.8)], ids=["narrow", "low"])
def test_a_small_pale_place_is_no_row(tooth: NDArray[np.float64]) -> None:
    assert found(smile(tooth)) is None


@pytest.mark.parametrize("inside", [TONGUE, DARK], ids=["tongue", "dark"])
def test_an_open_mouth_without_teeth_has_none(inside: tuple[int, int, int]) -> None:
    assert found(smile(inside=inside)) is None


def test_a_pale_place_beside_the_mouth_is_no_row() -> None:
    assert found(smile(box(-9, 14, 9, 18))) is None


def test_the_opening_is_all_that_shows_between_the_lips() -> None:
    """Teeth, the tongue and dark corners beyond dlib's inner lips, but no lips and no skin."""
    corners = box(-15, -1, -12, 1), box(12, -1, 15, 1)
    patch = smile(UPPER, LOWER, dark=corners)
    opening = find_inside(patch).opening_HW
    inner = filled(patch, face(GAP)[INNER_LIPS])
    assert opening[inner].all()
    for corner in corners:
        assert opening[filled(patch, corner)].mean() > 0.8
    around = cv2.dilate(inner.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    for corner in corners:
        around |= cv2.dilate(filled(patch, corner).astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    assert not opening[~around].any()


@pytest.mark.parametrize(("inside", "only_lips"), [(LIPS, True), (DARK, False)])
def test_lips_that_dlib_sees_apart_show_only_lips(inside: tuple[int, int, int], only_lips: bool) -> None:
    patch = smile(inside=inside, gap=4.0)
    assert find_inside(patch).only_lips == only_lips
    assert not find_inside(smile(box(-9, -1.5, 9, 1), inside=inside, gap=4.0)).only_lips


def test_light_on_a_closed_lip_is_no_row() -> None:
    """It is as pale as teeth, but not between the lips."""
    assert found(smile(box(-8, 0.7, 8, 2.5), inside=LIPS, gap=1.0)) is None
    assert found(smile(box(-8, -1.3, 8, 0.5), inside=LIPS, gap=1.0)) is not None


@pytest.mark.parametrize("y", [-2.5, 0.0, 1.5])
def test_closed_lips_meet_along_the_darkest_line(y: float) -> None:
    seam = find_seam(smile(inside=LIPS, dark=(box(-12, y - 0.2, 12, y + 0.2),), gap=4.0))
    rows, columns = np.nonzero(seam)
    middle = np.abs(columns - seam.shape[1] / 2) < 8 * SCALE
    assert rows[middle].mean() - seam.shape[0] / 2 == pytest.approx((y + 0.6) * SCALE, abs=SCALE)


def test_the_dark_corners_of_the_widest_smile_belong_to_the_opening() -> None:
    """They are up to 0.72 eye distances from the middle of the mouth."""
    corners = box(-24, -1, -13, 1), box(13, -1, 24, 1)
    points = face(GAP)
    points[[48, 54], 0] = 64 - 22, 64 + 22
    patch = smile(UPPER, dark=corners, points=points)
    opening = find_inside(patch).opening_HW
    _, columns = np.nonzero(opening)
    assert np.ptp(columns) == pytest.approx(48 * SCALE, abs=2 * SCALE)


@settings(max_examples=40)
@given(turn=st.floats(-3, 3), scale=st.floats(1.5, 3.5))
def test_size_and_tilt_of_the_face_do_not_matter(turn: float, scale: float) -> None:
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back_2x3 = np.column_stack([linear, 150 - linear @ (64, LIPS_Y)])
    row = found(smile(UPPER, back_2x3=back_2x3, side=300))
    assert row is not None
    pixel = 1 / scale  # `fillPoly` also fills the outline
    assert row.width == pytest.approx((18 + pixel) / EYES, rel=0.12)
    assert row.area == pytest.approx((18 + pixel) * (5 + pixel) / EYES**2, rel=0.2)


@settings(max_examples=40)
@given(data=st.data())
def test_the_face_may_be_anywhere(data: st.DataObject) -> None:
    """Turned, tiny, or partly outside the picture."""
    patch = smile(UPPER, LOWER, back_2x3=data.draw(placements((150, 150))), side=150)
    row = found(patch)
    if row is not None:
        assert row.mask_HW.shape == patch.image_HWC.shape[:2]
        assert row.mask_HW.any()


@pytest.mark.slow
@pytest.mark.parametrize(("label", "whole", "none"), [("teeth", 10, 0), ("closed", 0, 9)])
def test_real_portraits_are_as_people_labelled_them(
    corpora: Path, shipped: TalkingHead, label: str, whole: int, none: int
) -> None:
    """Of 12 portraits that show teeth, most have a whole row. Of 12 with closed lips, most have none."""
    folder = corpora / "portraits_hq"
    with (folder / "index.csv").open() as file:
        names = [line["id"] for line in csv.DictReader(file) if line["lips"] == label]
    chosen = [names[at] for at in np.linspace(0, len(names) - 1, 12).round().astype(int)]
    rows = [found(patch_in(read_image(folder / f"{name}.jpg"), shipped)) for name in chosen]
    width, area = WHOLE_ROW
    assert sum(row is not None and row.width >= width and row.area >= area for row in rows) >= whole
    assert sum(row is None for row in rows) >= none
    assert (sum(row is None for row in rows) <= 1) == (label == "teeth")


def test_black_and_white_photographs_show_teeth_too(
    shipped: TalkingHead, photograph: NDArray[np.uint8], face_file: Path
) -> None:
    """Their lips are no redder than their teeth, so teeth are what is lighter between the lips."""
    for picture, has_teeth in ((photograph, True), (read_image(face_file), False)):
        grey = np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
        assert (found(patch_in(grey, shipped)) is not None) == has_teeth


@pytest.mark.parametrize("red", [0.75, 0.8])
def test_greenish_light_makes_no_teeth_of_closed_lips(shipped: TalkingHead, face_file: Path, red: float) -> None:
    assert found(patch_in((read_image(face_file) * (red, 1, 1)).astype(np.uint8), shipped)) is None
