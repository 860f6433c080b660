"""The picture's own pixels move with the landmarks; paint shows what the picture does not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.inference.compositing.moved_picture import OTHER, SAME, MovedPicture
from pipeline.inference.compositing.pixels import Places, Window, warped
from pipeline.landmarks.points import MOUTH, NOSE_BASE, NOSE_TIP
from pipeline.landmarks.similarity import apply_similarity, invert_similarity
from pipeline.models.mouth_detail import motion_field
from pipeline.preprocessing.base import Reference
from tests.inference.drawn_face import ENLARGED, GREEN, LIPS_Y, SCALE, face, picture, placements, plain, reference_of

Image = NDArray[np.uint8]
ALL = np.ones((SIZE, SIZE), np.float32)
ONTO = invert_similarity(ENLARGED)
NOSE = SCALE * int(face()[NOSE_TIP, 1] + 3)
"""A row of the picture below which no paint appears outside the mouth."""


def shown(
    moved: MovedPicture, paint: Image, points: NDArray[np.float32], share: NDArray[np.float32] = ALL
) -> tuple[Image, NDArray[np.float32]]:
    """Return a frame of the whole picture, and where it shows the inside of the mouth."""
    (points,) = moved.inside.part_lips(points[None])
    window, part, inside_part = moved.part(paint, points, moved.motions(points[None])[0], share)
    frame, inside = moved.picture_HWC.copy(), np.zeros(moved.picture_HWC.shape[:2], np.float32)
    frame[window.part], inside[window.part] = part, inside_part
    return frame, inside


def below_the_mouth(down: float, right: float = 0.0) -> NDArray[np.float32]:
    """Return the points of the face with its mouth moved."""
    points = face()
    points[MOUTH] += np.array([right, down], np.float32)
    return points


def coloured(image: Image) -> NDArray[np.bool_]:
    """Return the pixels that are paint; the picture itself is grey."""
    return np.asarray(np.ptp(image.astype(int), axis=2) > 8)


@pytest.fixture(scope="module")
def image() -> Image:
    return picture()


@pytest.fixture(scope="module")
def moved(image: Image) -> MovedPicture:
    return MovedPicture(image, reference_of(image, face()), ONTO)


@settings(max_examples=40)
@given(data=st.data())
def test_unmoved_points_give_the_picture_bit_for_bit(data: st.DataObject) -> None:
    """Wherever the face is, and whatever is painted below the nose."""
    image = picture((200, 150))
    back_2x3 = data.draw(placements((200, 150)))
    reference = reference_of(image, face(), back_2x3)
    paint = reference.image_HWC.copy()
    paint[NOSE // SCALE :] = GREEN
    frame, inside = shown(MovedPicture(image, reference, invert_similarity(back_2x3)), paint, face())
    np.testing.assert_array_equal(frame, image)
    assert not inside.any()


@pytest.mark.parametrize(("right", "down"), [(0, 3), (2, 0), (-1.5, 2)])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_pixels_move_as_far_as_the_landmarks_at_full_resolution(
    image: Image, moved: MovedPicture, right: float, down: float, share: float
) -> None:
    """A place that follows by half moves half as far."""
    points = below_the_mouth(down, right)
    frame, _ = shown(moved, moved.reference.image_HWC, points, share * ALL)
    rows, columns = slice(SCALE * 79, SCALE * 87), slice(SCALE * 56, SCALE * 72)
    there = frame[rows, columns, 0].astype(float)
    apart = {}
    for x in range(-16, 17):
        for y in range(-16, 17):
            before = image[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x, 0]
            apart[x, y] = np.abs(there - before).mean()
    best = min(apart, key=lambda at: apart[at])
    np.testing.assert_allclose(best, SCALE * share * np.array([right, down]), atol=1)
    assert apart[best] < 0.5 * np.median(list(apart.values()))
    detail = [cv2.Laplacian(one[rows, columns, 0], cv2.CV_64F).std() for one in (frame, image)]
    assert detail[0] > 0.95 * detail[1], "as sharp as the picture"


@pytest.mark.parametrize("reach", [20, 5], ids=["around the mouth", "within the mouth"])
def test_nothing_changes_where_nothing_follows(image: Image, moved: MovedPicture, reach: int) -> None:
    share = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(share, (64, 80), reach, 1, -1)
    points = face(10) + np.array([2, 3], np.float32)
    frame, inside = shown(moved, plain(GREEN), points, share)
    outside = warped(share, ONTO, moved.size) == 0
    np.testing.assert_array_equal(frame[outside], image[outside])
    assert not inside[outside].any()
    assert (frame[~outside] != image[~outside]).any(axis=1).mean() > 0.8


def test_each_place_moves_as_the_landmarks_around_it() -> None:
    """The colours of this picture tell where a pixel comes from."""
    rows, columns = np.mgrid[: SCALE * SIZE, : SCALE * SIZE]
    image = np.stack([columns // 2, rows // 2, 0 * rows], axis=-1).astype(np.uint8)
    points, reference = below_the_mouth(3, 2), reference_of(image, face())
    moved = MovedPicture(image, reference, ONTO)
    frame, _ = shown(moved, reference.image_HWC, points)
    middles = (torch.arange(SCALE * SIZE) + 0.5) / (SCALE * SIZE)
    now, before = torch.from_numpy((moved.inside.part_lips(np.stack([points, face()])) + 0.5) / SIZE)[:, None]
    motion = motion_field(now, before, middles, middles)[0].numpy() * SCALE * SIZE
    part = (slice(NOSE, -40), slice(40, -40))
    for channel, place in enumerate((columns, rows)):
        moved_by = 2 * frame[..., channel].astype(float) + 0.5 - place
        np.testing.assert_allclose(moved_by[part], motion[channel][part], atol=4)
        assert np.abs(moved_by - motion[channel])[part].mean() < 0.7


@pytest.mark.parametrize("turn", [0.0, 0.4], ids=["upright", "tilted"])
@pytest.mark.parametrize(("lip", "side"), [([61, 62, 63], -1), ([65, 66, 67], 1)], ids=["upper", "lower"])
def test_each_lip_moves_by_itself(image: Image, turn: float, lip: list[int], side: int) -> None:
    linear = 3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back_2x3 = np.column_stack([linear, 256 - linear @ np.full(2, SIZE / 2)])
    onto_2x3, reference = invert_similarity(back_2x3), reference_of(image, face(8), back_2x3)
    moved, points = MovedPicture(image, reference, onto_2x3), face(8)
    points[lip, 1] += 5 * side
    frame, inside = shown(moved, reference.image_HWC, points)
    pixels = np.stack(Places.of(Window(0, 0, *moved.size)), axis=-1)
    x, y = np.moveaxis(apply_similarity(onto_2x3, pixels), -1, 0)
    changed = cv2.absdiff(frame, image).max(axis=2) > 0
    lips = (np.abs(x - 64) < 8) & (np.abs(y - LIPS_Y) < 20) & (np.maximum(inside, moved.own_inside_HW) == 0)
    assert changed[lips & (side * (y - LIPS_Y) > 0)].mean() > 0.9
    assert not changed[lips & (side * (y - LIPS_Y) < 0)].any()


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_mouth_opens_as_far_as_its_place_follows(moved: MovedPicture, share: float) -> None:
    share_HW = share * ALL
    share_HW[0] = 1.0
    _, inside = shown(moved, plain(GREEN), face(12), share_HW)
    assert inside.max() == pytest.approx(share, abs=0.01)
    height = (inside[:, SCALE * 64] > 0.5 * inside.max()).sum() / SCALE
    assert height == pytest.approx(share * 12, abs=0.5)


def test_the_inside_of_the_mouth_is_painted_and_the_lips_are_the_picture_s(moved: MovedPicture) -> None:
    paint = moved.reference.image_HWC.copy()
    paint[NOSE // SCALE :] = GREEN
    frame, inside = shown(moved, paint, face(10))
    middle = SCALE * np.array([64, LIPS_Y])
    np.testing.assert_array_equal(frame[tuple(middle[::-1].astype(int))], GREEN)
    np.testing.assert_allclose(frame[inside > 0.999], np.broadcast_to(GREEN, frame[inside > 0.999].shape), atol=1)
    assert not coloured(frame)[inside == 0].any()
    for down in (-7, 7):  # the middles of both lips
        assert not coloured(frame)[int(SCALE * (LIPS_Y + down)), SCALE * 64]
    unpainted, _ = shown(moved, moved.reference.image_HWC, face(10))
    np.testing.assert_array_equal(frame[inside == 0], unpainted[inside == 0])


@pytest.mark.parametrize(("gap", "down"), [(10.0, 0.0), (10.0, 4.0), (5.0, 0.0), (1.0, 0.0)])
def test_what_the_picture_shows_between_its_lips_is_hidden(image: Image, gap: float, down: float) -> None:
    """The picture's own inside of the mouth is magenta here, and the paint is green."""
    magenta = (255, 0, 255)
    own = MovedPicture(image, reference_of(image, face(10)), ONTO).own_inside_HW > 0.9
    image = image.copy()
    image[own] = magenta
    points = face(gap)
    points[MOUTH, 1] += down
    frame, _ = shown(MovedPicture(image, reference_of(image, face(10)), ONTO), plain(GREEN), points)
    lower = frame[NOSE:].astype(int)
    assert (lower == GREEN).all(axis=2).any()
    assert (lower[..., 0] - lower[..., 1]).max() < 60
    painted = NOSE + np.flatnonzero(coloured(frame[NOSE:])[:, SCALE * 64])
    middle, reach = SCALE * (LIPS_Y + down), SCALE * (max(gap / 2, 3) + 2)
    assert middle - reach < painted.min() < painted.max() < middle + reach, "the paint stays between the lips"


def test_above_the_nose_paint_is_shown_where_it_differs(moved: MovedPicture) -> None:
    """Such as lids that close. Below the nose the same difference is not shown."""
    paint = moved.reference.image_HWC.copy()
    cv2.rectangle(paint, (43, 38), (50, 43), GREEN, -1)
    cv2.rectangle(paint, (40, 66), (50, 72), GREEN, -1)
    frame, _ = shown(moved, paint, face())
    eye = (slice(SCALE * 40, SCALE * 42), slice(SCALE * 45, SCALE * 49))
    np.testing.assert_allclose(frame[eye], np.broadcast_to(GREEN, frame[eye].shape), atol=30)
    near = np.zeros(frame.shape[:2], bool)
    near[SCALE * 35 : SCALE * 46, SCALE * 40 : SCALE * 53] = True
    np.testing.assert_array_equal(frame[~near], moved.picture_HWC[~near])


@pytest.mark.parametrize(("levels", "painted"), [(SAME - 1, False), (OTHER + 1, True)])
def test_slight_differences_are_not_shown(moved: MovedPicture, levels: float, painted: bool) -> None:
    paint = cv2.add(moved.reference.image_HWC, np.full((SIZE, SIZE, 3), levels, np.uint8))
    frame, _ = shown(moved, np.asarray(paint, np.uint8), face())
    eyes = slice(0, SCALE * 30)
    if painted:
        expected = warped(np.asarray(paint, np.uint8), ONTO, moved.size, cv2.INTER_CUBIC)[eyes]
        np.testing.assert_array_equal(frame[eyes][8:-8, 8:-8], expected[8:-8, 8:-8])
    else:
        np.testing.assert_array_equal(frame, moved.picture_HWC)


def test_paint_fades_out_along_the_nose(moved: MovedPicture) -> None:
    frame, _ = shown(moved, plain(GREEN), face())
    green = (frame[..., 1].astype(int) - frame[..., 0])[:, SCALE * 30]
    tip, base = (SCALE * face()[[NOSE_TIP, NOSE_BASE], 1]).astype(int)
    assert (green[8 : tip - (base - tip) - SCALE] == 255).all()
    assert 0 < green[tip - (base - tip) // 2] < 255
    assert not green[tip + SCALE :].any()


def test_a_picture_as_small_as_the_crop_moves_too() -> None:
    image = picture((SIZE, SIZE))
    reference = Reference(image, face(), source_68x2=face())
    frame, _ = shown(MovedPicture(image, reference, np.eye(2, 3)), image, below_the_mouth(3))
    np.testing.assert_allclose(frame[80:86, 58:70], image[77:83, 58:70], atol=40)
    assert np.abs(frame[80:86, 58:70].astype(int) - image[77:83, 58:70]).mean() < 8


def test_the_window_holds_all_places_that_follow(moved: MovedPicture) -> None:
    share = np.zeros((SIZE, SIZE), np.float32)
    share[70:95, 40:90] = 1
    points = face(8)
    window, part, inside = moved.part(plain(GREEN), points, moved.motions(points[None])[0], share)
    follows = np.argwhere(warped(share, ONTO, moved.size) > 0)
    (top, left), (bottom, right) = follows.min(axis=0), follows.max(axis=0)
    assert Window(left, top, right + 1, bottom + 1).within(window) == (left, top, right + 1, bottom + 1)
    assert part.shape[:2] == inside.shape == window.size[::-1]


def test_a_reference_is_not_changed(image: Image, moved: MovedPicture) -> None:
    before = replace(moved.reference, image_HWC=moved.reference.image_HWC.copy()), moved.picture_HWC.copy()
    shown(moved, plain(GREEN), face(12))
    np.testing.assert_array_equal(moved.reference.image_HWC, before[0].image_HWC)
    np.testing.assert_array_equal(moved.picture_HWC, before[1])
