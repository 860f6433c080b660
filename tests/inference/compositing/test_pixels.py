"""Rectangles of pixels, and pictures sampled at other places."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.faces.crop import SIZE
from pipeline.inference.compositing.pixels import Places, Window, blended, reach, sampled, warped
from pipeline.landmarks.similarity import apply_similarity
from tests.inference.drawn_face import picture, placements

SHIFTED = np.array([[1.0, 0, 5], [0, 1, 3]])  # the pixel at x, y shows that at x + 5, y + 3


@st.composite
def windows(draw: st.DrawFn) -> Window:
    left, top, width, height = (draw(st.integers(low, 12)) for low in (-12, -12, 1, 1))
    return Window(left, top, left + width, top + height)


def pixels(window: Window | None) -> set[tuple[int, int]]:
    if window is None:
        return set()
    return {(x, y) for x in range(window.left, window.right) for y in range(window.top, window.bottom)}


@given(one=windows(), other=windows())
def test_two_windows_share_the_pixels_that_both_have(one: Window, other: Window) -> None:
    shared = one.within(other)
    assert pixels(shared) == pixels(one) & pixels(other)
    assert (shared is None) == (not pixels(one) & pixels(other))


@given(one=windows(), other=windows())
def test_a_window_keeps_its_size_and_distance_in_other_coordinates(one: Window, other: Window) -> None:
    own = one.counted_from(other)
    assert own.size == one.size
    assert pixels(own) == {(x - other.left, y - other.top) for x, y in pixels(one)}


def test_a_window_is_the_part_of_a_picture_with_its_pixels() -> None:
    window = Window(3, 2, 11, 9)
    rows, columns = np.mgrid[:10, :20]
    x, y = columns[window.part], rows[window.part]
    assert x.shape == (7, 8)
    assert window.size == (8, 7)
    assert set(zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)) == pixels(window)


@given(window=windows())
def test_places_of_a_window_are_its_own_pixels(window: Window) -> None:
    x, y = Places.of(window)
    assert x.shape == y.shape == window.size[::-1]
    assert set(zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)) == pixels(window)
    assert (x[0, 0], y[0, 0]) == window[:2]


@given(window=windows(), x=st.integers(-9, 9), y=st.integers(-9, 9))
def test_a_window_sees_a_pixel_where_the_picture_sees_it(window: Window, x: int, y: int) -> None:
    onto_2x3 = np.array([[0.3, -0.2, 5.0], [0.2, 0.3, -7.0]])
    from_corner = np.array([[x - window.left, y - window.top]])
    seen = apply_similarity(window.seen_from(onto_2x3), from_corner)
    np.testing.assert_allclose(seen, apply_similarity(onto_2x3, np.array([[x, y]])), atol=1e-9)


@given(data=st.data(), width=st.integers(1, 300), height=st.integers(1, 300))
def test_a_box_reaches_all_pixels_of_the_picture_that_it_covers(data: st.DataObject, width: int, height: int) -> None:
    """It reaches at least one pixel, also if it lies beside the picture."""
    back_2x3 = data.draw(placements((width, height)))
    window = reach(back_2x3, (-0.5, -0.5, SIZE - 0.5, SIZE - 0.5), (width, height))
    assert 0 <= window.left < window.right <= width
    assert 0 <= window.top < window.bottom <= height
    places = np.stack(Places.of(Window(0, 0, SIZE, SIZE)), axis=-1).reshape(-1, 2)
    covered = apply_similarity(back_2x3, places[::97])
    inside = covered[((covered >= 0) & (covered <= (width - 1, height - 1))).all(axis=1)]
    assert ((inside >= (window.left, window.top)) & (inside <= (window.right - 1, window.bottom - 1))).all()


def test_a_warped_picture_shows_the_pixels_that_the_transform_names() -> None:
    image = picture((30, 20))
    shown = warped(image, SHIFTED, (30, 20))
    np.testing.assert_array_equal(shown[:17, :25], image[3:, 5:])
    assert not shown[17:].any(), "black beyond the picture"
    assert not shown[:, 25:].any()
    repeated = warped(image, SHIFTED, (30, 20), border=cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(repeated[17:, :25], np.repeat(image[-1:, 5:], 3, axis=0))


def test_a_picture_sampled_at_its_own_pixels_is_itself() -> None:
    image, own = picture((30, 20)), Window(0, 0, 30, 20)
    for how in (cv2.INTER_LINEAR, cv2.INTER_CUBIC):
        np.testing.assert_array_equal(sampled(image, Places.of(own), how), image)
    part, beyond = Window(4, 3, 20, 11), Window(40, 0, 70, 20)
    np.testing.assert_array_equal(sampled(image, Places.of(part)), image[part.part])
    np.testing.assert_array_equal(sampled(image, Places.of(beyond)), np.repeat(image[:, -1:], 30, axis=1))


def test_a_blend_has_the_paint_by_its_share() -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    paint, image = np.tile(levels, (1, 3, 1)), np.tile(levels[::-1], (1, 3, 1))
    share = np.tile(np.array([0, 0.25, 1], np.float32), (256, 1))
    shown = blended(paint, image, share)
    np.testing.assert_array_equal(shown[:, 0], image[:, 0])
    np.testing.assert_array_equal(shown[:, 2], paint[:, 2])
    np.testing.assert_allclose(shown[:, 1], 0.25 * paint[:, 1] + 0.75 * image[:, 1], atol=0.51)


def test_parts_of_pictures_blend_as_whole_ones() -> None:
    """The parts of a frame are not contiguous in memory."""
    image, part = picture((40, 30)), (slice(4, 20), slice(7, 31))
    paint, share = image[::-1].copy(), np.linspace(0, 1, 1200, dtype=np.float32).reshape(30, 40)
    np.testing.assert_array_equal(blended(paint[part], image[part], share[part]), blended(paint, image, share)[part])
