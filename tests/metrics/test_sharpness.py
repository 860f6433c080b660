"""CPBD and the variance of the Laplacian."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, laplace, sobel
from skimage.feature import canny

from pipeline.metrics.sharpness import edge_widths, measure_cpbd
from tests.metrics.faces import Image, computed, face


def grey(picture: Image) -> Image:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def blurred(picture: Image, sigma: float) -> Image:
    return np.asarray(gaussian_filter(picture.astype(float), (sigma, sigma, 0)).round(), np.uint8)


def slow_widths(picture: Image) -> list[list[int]]:
    """By walking to both ends of each edge, pixel by pixel."""
    levels = picture.astype(int)
    height, width = levels.shape
    around = np.pad(levels, 1, mode="reflect")
    right, left = around[:, 2:], around[:, :-2]
    response = ((right[:-2] + 2 * right[1:-1] + right[2:]) - (left[:-2] + 2 * left[1:-1] + left[2:])) ** 2
    threshold = 4 * response.mean()
    widths = [[0] * width for _ in range(height)]
    for row in range(1, height - 1):
        line = levels[row]
        for column in range(1, width - 1):
            before, here, after = response[row, column - 1 : column + 2]
            if here <= threshold or here <= before or here < after:
                continue
            across, along = line[column + 1] - line[column - 1], levels[row + 1, column] - levels[row - 1, column]
            angle = np.degrees(np.arctan2(along, across))
            if across == 0 or round(angle / 45) not in (0, 4, -4):
                continue
            sign = np.sign(across)
            begin, end = column - 1, column + 1
            while begin > 0 and sign * line[begin - 1] < sign * line[begin]:
                begin -= 1
            while end < width - 1 and sign * line[end + 1] > sign * line[end]:
                end += 1
            widths[row][column] = end - begin
    return widths


def slow_cpbd(picture: Image) -> float:
    """By the probability of each edge, in percent, as the paper adds it up."""
    widths = np.array(slow_widths(picture))
    smooth = gaussian_filter(picture.astype(float), 2**0.5)
    high = np.quantile(np.hypot(sobel(smooth, 0), sobel(smooth, 1)), 0.7)
    edges = canny(picture.astype(float), sigma=2**0.5, low_threshold=0.4 * high, high_threshold=high)
    percent: list[int] = []
    for top in range(0, picture.shape[0] // 64 * 64, 64):
        for left in range(0, picture.shape[1] // 64 * 64, 64):
            block = slice(top, top + 64), slice(left, left + 64)
            if edges[block].sum() <= 0.002 * 64 * 64:
                continue
            contrast = int(picture[block].max()) - int(picture[block].min())
            jnb = 5 if contrast <= 50 else 3
            here = widths[block][widths[block] != 0]
            percent += [round(100 * (1 - np.exp(-((width / jnb) ** 3.6)))) for width in here]
    return sum(one <= 63 for one in percent) / len(percent)


@pytest.mark.parametrize("sigma", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("shape", [(128, 128), (150, 100)])
def test_cpbd_equals_a_loop(sigma: float, shape: tuple[int, int]) -> None:
    picture = grey(blurred(face(256)[: shape[0], 40 : 40 + shape[1]], sigma))
    np.testing.assert_array_equal(edge_widths(picture), slow_widths(picture))
    assert measure_cpbd(picture) == slow_cpbd(picture)


def test_blur_is_noticed_later_at_low_contrast() -> None:
    """The same slopes, 4 pixels wide, of 40 levels and of 200."""
    distance = np.abs(np.arange(128) % 64 - 32)  # from a bar's middle
    ramp = np.repeat(np.clip((20 - distance) / 4, 0, 1)[None], 128, axis=0)
    dull, contrasty = ((20 + height * ramp).astype(np.uint8) for height in (40, 200))
    assert set(np.unique(edge_widths(dull)[1:-1])) == set(np.unique(edge_widths(contrasty)[1:-1])) == {0, 4}
    assert measure_cpbd(contrasty) == 0
    assert measure_cpbd(dull) == 1


def test_a_sharp_step_is_not_blurred() -> None:
    step = np.zeros((64, 64), np.uint8)
    step[:, 32:] = 200
    widths = edge_widths(step)
    assert set(np.unique(widths[1:-1].max(axis=1))) == {2}
    assert measure_cpbd(step) == 1


def test_blur_lowers_cpbd_and_laplacian() -> None:
    pictures = [np.stack([blurred(face(), sigma)] * 2) for sigma in (0, 0.5, 1, 1.5, 2, 3)]
    for name in ("cpbd", "laplacian"):
        values = [computed(name, frames) for frames in pictures]
        assert all(later < earlier or later == 0 for earlier, later in pairwise(values)), (name, values)
        assert values[2] < 0.35 * values[0]


def test_laplacian_equals_scipy() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 30, 3)).astype(np.uint8)
    expected = np.mean([laplace(grey(frame).astype(float), mode="mirror").var() for frame in frames])
    assert computed("laplacian", frames) == pytest.approx(expected)


def test_flat_pictures_have_no_cpbd() -> None:
    flat = np.full((2, 128, 128, 3), 90, np.uint8)
    assert np.isnan(computed("cpbd", flat))
    assert computed("laplacian", flat) == 0
    half = np.stack([flat[0], face()])
    assert computed("cpbd", half) == computed("cpbd", half[1:])  # what has no edges does not count
