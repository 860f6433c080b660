"""A smile closes before it speaks, keeps its teeth behind its lips, and nothing else in the picture changes."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.outside_mouth import outside_mouth
from pipeline.faces.crop import SIZE
from pipeline.inference.closed_lips import close_lips
from pipeline.inference.compositing.photograph import MAX_SIDE, Photograph
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import read_image, read_reference
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.mouth_calibration import PARTED, own_gap
from pipeline.landmarks.points import INNER_LIPS, NOSE_BASE, OUTER_LIPS
from pipeline.landmarks.similarity import apply_similarity
from pipeline.preprocessing.base import Reference
from tests.inference.drawn_face import ENLARGED, EYES, face, reference_of

Image = NDArray[np.uint8]


def gap(head: TalkingHead, reference: Reference) -> float:
    points_68x2 = reference.points_68x2
    return own_gap(head.preprocessing.normalize(points_68x2[None], points_68x2)[0])


@pytest.fixture(scope="module")
def smiling(shipped: TalkingHead, photograph: Image) -> Reference:
    return read_reference("picture", shipped.preprocessing, image_HWC=photograph)


@pytest.fixture(scope="module")
def closed(shipped: TalkingHead, photograph: Image, smiling: Reference) -> Photograph:
    """The smile with closed lips."""
    return close_lips(photograph, smiling, shipped.preprocessing)


def test_a_smile_closes(shipped: TalkingHead, photograph: Image, smiling: Reference, closed: Photograph) -> None:
    assert gap(shipped, smiling) > PARTED
    assert gap(shipped, closed.reference) < PARTED
    found = read_reference("picture", shipped.preprocessing, image_HWC=closed.picture_HWC)
    assert gap(shipped, found) < PARTED
    assert smiling.source_68x2 is not None
    outside = outside_mouth(smiling.source_68x2, photograph.shape[:2])
    np.testing.assert_array_equal(closed.picture_HWC[outside], photograph[outside])
    assert cv2.absdiff(closed.picture_HWC, photograph).max() > 50


def test_the_reference_shows_the_closed_lips(shipped: TalkingHead, closed: Photograph) -> None:
    """It is a crop of the picture that was made, and its points lie on that picture."""
    (points,) = closed.points(closed.reference.points_68x2[None], 0, closed.reference)
    np.testing.assert_allclose(points, closed.points_68x2, atol=0.5)
    found = read_reference("picture", shipped.preprocessing, image_HWC=closed.picture_HWC)
    assert found.source_68x2 is not None
    assert np.abs(found.source_68x2 - closed.points_68x2).mean() < 1.5
    assert cv2.absdiff(found.image_HWC, closed.reference.image_HWC).mean() < 6


def test_closed_lips_are_not_closed_again(shipped: TalkingHead, closed: Photograph) -> None:
    found = read_reference("picture", shipped.preprocessing, image_HWC=closed.picture_HWC)
    again = close_lips(closed.picture_HWC, found, shipped.preprocessing)
    np.testing.assert_array_equal(again.picture_HWC, closed.picture_HWC)
    assert again.reference is found


def test_the_teeth_behind_the_lips_are_those_of_the_smile(photograph: Image, closed: Photograph) -> None:
    """They only move as a whole."""
    assert closed.teeth is not None
    window, alpha_HW = closed.teeth.window, closed.teeth.alpha_HW
    edges = alpha_HW.shape[0] - np.argmax((alpha_HW > 0.9)[::-1], axis=0)
    rows = np.arange(alpha_HW.shape[0])[:, None]
    front = (alpha_HW > 0.99) & (rows > edges - 4)  # further up the photograph shows the upper lip
    assert front.sum() > 40
    apart = []
    for right, down in itertools.product(range(-4, 5), range(-8, 9)):
        own = np.roll(photograph, (down, right), axis=(0, 1))[window.part]
        apart.append(np.abs(closed.teeth.colours_HWC[front].astype(int) - own[front]).mean())
    assert min(apart) < 9
    assert min(apart) < 0.2 * max(apart)


def test_closed_lips_stay_as_they_are(shipped: TalkingHead, face_file: Path) -> None:
    """Teeth are drawn behind them."""
    reference, image = read_reference(face_file, shipped.preprocessing), read_image(face_file)
    made = close_lips(image, reference, shipped.preprocessing)
    np.testing.assert_array_equal(made.picture_HWC, image)
    assert made.reference is reference
    assert made.teeth is not None
    assert reference.source_68x2 is not None
    x, y = reference.source_68x2[INNER_LIPS].mean(axis=0).astype(int)
    assert made.teeth.alpha_HW[y - made.teeth.window.top, x - made.teeth.window.left] > 0.99


@pytest.mark.parametrize(("apart", "touch"), [(0.1, True), (0.15, False)])
def test_lips_that_only_dlib_sees_apart_stay_as_they_are(shipped: TalkingHead, apart: float, touch: bool) -> None:
    """The reference's lips touch where the picture's do. Lips that are further apart may show a tongue."""
    image, points = np.full((4 * SIZE, 4 * SIZE, 3), (200, 150, 130), np.uint8), face(apart * EYES)
    outline, seam = points[OUTER_LIPS], np.array([(52, 81.3), (76, 81.3), (76, 81.7), (52, 81.7)])
    for polygon_N2, colour in ((outline, (200, 20, 30)), (seam, (130, 15, 20))):
        cv2.fillPoly(image, [np.round(apply_similarity(ENLARGED, polygon_N2)).astype(np.int32)], colour)
    reference = reference_of(image, points)
    made = close_lips(image, reference, shipped.preprocessing)
    np.testing.assert_array_equal(made.picture_HWC, image)
    assert (gap(shipped, made.reference) < PARTED) == touch
    assert (made.teeth is not None) == touch
    if touch:
        np.testing.assert_allclose(made.reference.points_68x2[INNER_LIPS][[1, 2, 3, 5, 6, 7], 1], 81.5, atol=1)


def test_a_mouth_that_is_wide_open_stays_open(shipped: TalkingHead, photograph: Image, smiling: Reference) -> None:
    """The synthesiser cannot close it."""
    assert smiling.source_68x2 is not None
    wide_68x2 = smiling.source_68x2.copy()
    wide_68x2[[65, 66, 67], 1] += 30
    wide = Reference(smiling.image_HWC, smiling.points_68x2, source_68x2=wide_68x2)
    _stays(close_lips(photograph, wide, shipped.preprocessing), photograph, wide)


def test_a_smile_that_is_turned_to_the_side_stays(shipped: TalkingHead, photograph: Image, smiling: Reference) -> None:
    points_68x2 = smiling.points_68x2.copy()
    points_68x2[NOSE_BASE, 0] = points_68x2[48, 0] + 4
    turned = Reference(smiling.image_HWC, points_68x2, source_68x2=smiling.source_68x2)
    _stays(close_lips(photograph, turned, shipped.preprocessing), photograph, turned)


def _stays(made: Photograph, image: Image, reference: Reference) -> None:
    np.testing.assert_array_equal(made.picture_HWC, image)
    assert made.reference is reference
    assert made.teeth is None, "VG-net paints them"


@pytest.mark.parametrize("smiles", [False, True])
def test_the_face_of_a_large_picture_stays_in_its_place(
    shipped: TalkingHead, face_file: Path, photograph: Image, smiles: bool
) -> None:
    image = np.asarray(cv2.resize(photograph if smiles else read_image(face_file), (2520, 2016)), np.uint8)
    reference = read_reference("picture", shipped.preprocessing, image_HWC=image)
    before, after = Photograph(image, reference), close_lips(image, reference, shipped.preprocessing)
    assert before.size == after.size
    assert max(after.size) == MAX_SIDE
    assert (gap(shipped, reference) > PARTED) == smiles
    np.testing.assert_allclose(after.points_68x2[:48], before.points_68x2[:48], atol=1)
    found = read_reference("picture", shipped.preprocessing, image_HWC=after.picture_HWC)
    assert found.source_68x2 is not None
    assert np.abs(found.source_68x2 - after.points_68x2).mean() < 8
    assert gap(shipped, found) < PARTED
    assert after.teeth is not None
    x, y = after.points_68x2[INNER_LIPS].mean(axis=0).astype(int)
    assert after.teeth.alpha_HW[y - after.teeth.window.top, x - after.teeth.window.left] > 0.99


@pytest.mark.slow
def test_silence_shows_closed_lips_and_strength_0_the_photograph(shipped: TalkingHead, photograph: Image) -> None:
    shown = {}
    for strength in (0.0, 1.0):
        generator = Generator(shipped, photograph, Settings(blink=False, strength=strength))
        shown[strength] = list(generator.stream([np.zeros(16000, np.int16)]))[-1]
    np.testing.assert_array_equal(shown[0.0], photograph)
    closed = read_reference("frame", shipped.preprocessing, image_HWC=shown[1.0])
    assert gap(shipped, closed) < PARTED
    assert cv2.absdiff(shown[1.0], photograph).max() > 50
