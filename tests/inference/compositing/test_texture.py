"""Detail that a crop of 128 pixels cannot show moves with the painted face."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE, crop_face
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.photograph import Photograph
from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.similarity import fit_similarity
from pipeline.preprocessing.base import Reference

SCALE = 4  # pixels of the picture per pixel of the crop
POINTS = np.stack(np.meshgrid(np.linspace(24, 104, 17), np.linspace(20, 56, 4)), axis=-1).reshape(68, 2)
POINTS[MOUTH] = np.stack(np.meshgrid(np.linspace(46, 82, 5), np.linspace(72, 90, 4)), axis=-1).reshape(20, 2)
ALL = np.ones((SIZE, SIZE), np.float32)


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """A grey picture with a fine pattern."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((SCALE * SIZE, SCALE * SIZE)), (0, 0), 1.2)
    levels = np.clip(128 + 60 * noise, 0, 255).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def reference_of(image_HWC: NDArray[np.uint8], points_68x2: NDArray[np.floating] = POINTS) -> Reference:
    source_68x2 = ((points_68x2 + 0.5) * SCALE - 0.5).astype(np.float32)
    onto_2x3 = fit_similarity(source_68x2.astype(np.float64), points_68x2)
    crop_HWC = crop_face(image_HWC, onto_2x3.astype(np.float32))
    return Reference(crop_HWC, points_68x2.astype(np.float32), source_68x2=source_68x2)


def frame(whole: Photograph, colour_HWC: NDArray[np.uint8], points_68x2: NDArray[np.floating]) -> NDArray[np.int16]:
    points_1x68x2 = points_68x2.astype(np.float32)[None]
    chunk = Painted(colour_HWC[None], ALL[None], colour_HWC[None], points_1x68x2, reference_of(whole.picture_HWC))
    (shown,) = whole.frames([chunk])
    return shown.astype(np.int16)


def test_paint_that_shows_the_crop_becomes_the_picture() -> None:
    image = picture()
    whole = Photograph(image, reference_of(image))
    middle = slice(SCALE * 40, SCALE * 90)
    shown = frame(whole, reference_of(image).image_HWC, POINTS)[middle, middle]
    assert np.abs(shown - image[middle, middle]).max() <= 1
    whole.texture = None
    blurred = frame(whole, reference_of(image).image_HWC, POINTS)[middle, middle]
    assert np.abs(blurred - image[middle, middle]).mean() > 5, "the crop alone does not show the pattern"


def test_the_detail_moves_with_the_landmarks() -> None:
    """The paint is the mean grey, so all of the pattern is detail."""
    image = picture()
    reference = reference_of(image)
    grey = np.full_like(reference.image_HWC, 128)
    down = POINTS.copy()
    down[MOUTH] += (0, 3)
    shown = frame(Photograph(image, reference), grey, down)[SCALE * 78 : SCALE * 88, SCALE * 56 : SCALE * 72, 0]
    shifts = range(-24, 25)
    moved = [image[SCALE * 78 - shift : SCALE * 88 - shift, SCALE * 56 : SCALE * 72, 0] for shift in shifts]
    likeness = [np.corrcoef(shown.ravel(), there.ravel())[0, 1] for there in moved]
    assert shifts[int(np.argmax(likeness))] == pytest.approx(3 * SCALE, abs=1)
    assert max(likeness) > 0.6


def test_paint_that_shows_something_else_stays_as_it_is() -> None:
    image = picture()
    green = np.full((SIZE, SIZE, 3), (0, 200, 0), np.uint8)
    shown = frame(Photograph(image, reference_of(image)), green, POINTS)
    np.testing.assert_array_equal(shown[SCALE * 60, SCALE * 60], (0, 200, 0))


def test_a_picture_as_small_as_the_crop_has_no_detail() -> None:
    image = picture()[:SIZE, :SIZE]
    points = POINTS.astype(np.float32)
    assert Photograph(image, Reference(image, points, source_68x2=points)).texture is None
