"""The metrics of the paper's script, faults included."""

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from pipeline.metrics.pixels import CAP_DB
from tests.metrics.faces import Image, computed, face, moving_face

DRAW = np.random.default_rng(0)


def noisy(deviation: float, frames: int = 3) -> tuple[Image, Image]:
    """Generated and real frames."""
    real = np.stack([face()] * frames)
    return np.clip(real + DRAW.normal(0, deviation, real.shape), 0, 255).astype(np.uint8), real


def large(frame: Image) -> Image:
    return np.asarray(cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("deviation", [3, 12, 80])
def test_psnr_wraps(deviation: float) -> None:
    fake, real = noisy(deviation)
    expected = []
    for pair in zip(fake, real, strict=True):
        one, two = (cv2.cvtColor(large(frame), cv2.COLOR_RGB2GRAY).astype(int) for frame in pair)
        expected.append(20 * np.log10(255 / np.sqrt((((one - two) ** 2) % 256).mean())))
    assert computed("paper_psnr", fake, real) == pytest.approx(np.mean(expected))


def test_unrelated_pictures_have_28_db() -> None:
    """Where the definition has 8: values of this kind say little."""
    fake, real = DRAW.integers(0, 256, (2, 2, 256, 256, 1)).astype(np.uint8).repeat(3, axis=-1)
    assert computed("paper_psnr", fake, real) == pytest.approx(27.9, abs=0.1)
    assert computed("psnr", fake, real) == pytest.approx(7.7, abs=0.1)


def test_pictures_16_levels_apart_count_as_equal() -> None:
    real = np.full((2, 128, 128, 3), 100, np.uint8)
    assert computed("paper_psnr", real + 16, real) == computed("paper_psnr", real, real) == CAP_DB
    assert computed("psnr", real + 16, real) < 30


@pytest.mark.parametrize("size", [128, 256])
@pytest.mark.parametrize("deviation", [0, 3, 12, 80])
def test_ssim_equals_skimage_of_enlarged_frames(deviation: float, size: int) -> None:
    fake, real = (np.stack([cv2.resize(one, (size, size)) for one in frames]) for frames in noisy(deviation))
    expected = [
        structural_similarity(large(one), large(two), channel_axis=2, win_size=7)
        for one, two in zip(fake, real, strict=True)
    ]
    assert computed("paper_ssim", fake, real) == pytest.approx(np.mean(expected), abs=5e-5)


@pytest.mark.parametrize(("fake", "real"), [((100, 100), (100, 100)), ((128, 64), (128, 64)), ((128, 128), (256, 256))])
def test_ssim_refuses_other_shapes(fake: tuple[int, int], real: tuple[int, int]) -> None:
    one, two = (np.zeros((2, *size, 3), np.uint8) for size in (fake, real))
    with pytest.raises(ValueError, match="must be alike, square, and a part of 256"):
        computed("paper_ssim", one, two)


def test_lmd_is_the_sum_of_the_20_points() -> None:
    real = moving_face(4)
    fake = (real + DRAW.normal(0, 2, real.shape)).astype(np.float32)
    fake[2] = np.nan
    sums = []
    for frame in (0, 1, 3):
        one, two = (points[frame, 48:68] - points[frame, 48:68].mean(axis=0) for points in (fake, real))
        sums.append(np.hypot(*(one - two).T).sum())
    assert computed("paper_lmd", fake, real) == pytest.approx(np.mean(sums), rel=1e-5)
