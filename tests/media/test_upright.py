"""Pictures are turned, mirrored and scaled to square pixels, as a player shows them."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import read_frames
from tests.media.encode import encode, even_times, numbered_picture, set_matrix

Image = NDArray[np.uint8]
UPRIGHTS = [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)]
MIRRORED = [(-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)]


def by_the_standard(picture: Image, matrix: tuple[int, int, int, int]) -> Image:
    """ISO/IEC 14496-12: (x, y) is shown at (a x + c y, b x + d y), shifted to the origin."""
    a, b, c, d = matrix
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    right, down = a * x + c * y, b * x + d * y
    right, down = right - right.min(), down - down.min()
    shown = np.zeros((down.max() + 1, right.max() + 1, 3), np.uint8)
    shown[down, right] = picture
    return shown


@pytest.mark.parametrize("matrix", UPRIGHTS + MIRRORED)
def test_every_display_matrix(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    def draw(number: int) -> Image:
        picture = numbered_picture(number)
        picture[:12] = 255  # top and bottom differ too
        return picture

    path = encode(tmp_path / "a.mp4", even_times(3, 25), draw=draw)
    set_matrix(path, matrix)
    expected = by_the_standard(draw(1), matrix)
    frame = list(read_frames(path))[1]
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 6
    assert frame.flags.c_contiguous


def disc(width: int, height: int, aspect: Fraction) -> Image:
    """A disc that is round when its pixels are ``aspect`` times as wide as high."""
    picture = np.full((height, width, 3), 40, np.uint8)
    axes = (round(60 / aspect), 60) if aspect > 1 else (60, round(60 * aspect))
    cv2.ellipse(picture, (width // 2, height // 2), axes, 0, 0, 360, (220, 220, 220), -1)
    return picture


@pytest.mark.parametrize(
    ("suffix", "codec", "size", "aspect", "shown"),
    [
        ("mp4", "libx264", (320, 240), Fraction(16, 11), (465, 240)),
        ("mkv", "libx264", (320, 240), Fraction(8, 9), (320, 270)),
        ("mpg", "mpeg2video", (352, 288), Fraction(12, 11), (384, 288)),
        ("avi", "mpeg4", (320, 240), Fraction(16, 15), (341, 240)),
        ("mp4", "libx264", (320, 240), Fraction(9, 1), (320, 240)),  # damaged: no pixel is so wide
    ],
)
def test_pixels_become_square(
    tmp_path: Path, suffix: str, codec: str, size: tuple[int, int], aspect: Fraction, shown: tuple[int, int]
) -> None:
    path = encode(
        tmp_path / f"a.{suffix}",
        even_times(5, 25),
        codec=codec,
        time_base=Fraction(1, 1000) if suffix == "mkv" else Fraction(1, 25),
        size=size,
        aspect=aspect,
        draw=lambda number: disc(*size, aspect if aspect < 4 else Fraction(1)),
    )
    frames = list(read_frames(path))
    assert {frame.shape for frame in frames} == {(shown[1], shown[0], 3)}
    white = frames[2][..., 1] > 130
    across, down = (int(white.any(axis=axis).sum()) for axis in (0, 1))
    assert across == pytest.approx(down, abs=3)


def test_pixel_aspect_of_a_turned_video(tmp_path: Path) -> None:
    """Pixels that are wide before the turn are high after it."""
    aspect = Fraction(4, 3)
    path = encode(
        tmp_path / "a.mp4", even_times(3, 25), size=(240, 240), aspect=aspect, draw=lambda _: disc(240, 240, aspect)
    )
    set_matrix(path, UPRIGHTS[1])
    frame = list(read_frames(path))[1]
    assert frame.shape == (320, 240, 3)
    white = frame[..., 1] > 130
    assert white.any(axis=0).sum() == pytest.approx(white.any(axis=1).sum(), abs=3)
