"""Augmentation: what each kind does to pictures, beside independent libraries, and what is drawn."""

from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.color import rgb2gray
from skimage.exposure import adjust_gamma

from pipeline.config.training import PictureAugmentation, VgNetParams
from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.landmarks.pca import normalize_points
from pipeline.landmarks.points import MIRRORED, OUTLINES, mirror_points
from pipeline.training import distribution
from pipeline.training.augment import ANGLE, NO_CHANGE, SCALE, SHIFT, PictureChange, augment, draw
from pipeline.training.data import load_ahead
from pipeline.training.vgnet import VgNetTask
from tests.training.synthetic import DrawnClips

Image = NDArray[np.uint8]
KINDS = [kind.name for kind in fields(PictureAugmentation)]
EVERYTHING = PictureAugmentation(flip=0.5, shift=1, light=1, colour=1, blur=1, compression=1)
NUMBERS = len(NO_CHANGE.numbers)


def only(kind: str, numbers: dict[int, float], strength: float = 1.0) -> PictureChange:
    """The change of one kind, by hand."""
    drawn = np.zeros(NUMBERS)
    drawn[list(numbers)] = list(numbers.values())
    return PictureChange(PictureAugmentation(**{kind: strength}), False, drawn)


@pytest.fixture(scope="module")
def face(photograph: Image) -> Image:
    """A real face of 128x128, RGB."""
    return np.asarray(cv2.resize(photograph[20:276, 96:352], (128, 128), interpolation=cv2.INTER_AREA), np.uint8)


def landmarks(picture: Image) -> NDArray[np.float32]:
    return np.asarray(predict_landmarks([picture], detect_faces(picture)[:1])[0])


def test_without_strength_no_byte_changes(face: Image) -> None:
    for change in (NO_CHANGE, *(draw(PictureAugmentation(), 0, position) for position in range(9))):
        np.testing.assert_array_equal(augment(face[None], change)[0], face)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_all_pictures_of_a_window_alike(face: Image, kind: str) -> None:
    change = draw(PictureAugmentation(**{kind: 1.0}), 3, 5)
    changed = augment(np.stack([face, face, face]), change)
    assert changed.shape == (3, 128, 128, 3)
    assert changed.dtype == np.uint8
    assert (changed == changed[:1]).all()
    assert (changed[0] != face).any()


def test_the_draw_is_a_function_of_seed_and_position() -> None:
    first = draw(EVERYTHING, 0, 7)
    np.testing.assert_array_equal(first.numbers, draw(EVERYTHING, 0, 7).numbers)
    assert (first.numbers != draw(EVERYTHING, 0, 8).numbers).all()
    assert (first.numbers != draw(EVERYTHING, 1, 7).numbers).all()
    np.testing.assert_array_equal(first.numbers, draw(PictureAugmentation(blur=0.1), 0, 7).numbers)


def test_share_of_flips_and_spread_of_numbers() -> None:
    drawn = [draw(replace(EVERYTHING, flip=0.3), 0, position) for position in range(2000)]
    assert np.mean([change.mirrored for change in drawn]) == pytest.approx(0.3, abs=0.03)
    numbers = np.stack([change.numbers for change in drawn])
    assert numbers.min() >= -1
    assert numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=0.05)
    correlations = np.corrcoef(numbers.T) - np.eye(NUMBERS)
    assert np.abs(correlations).max() < 0.1


def test_mirrored_points_are_those_of_the_other_side() -> None:
    np.testing.assert_array_equal(MIRRORED[MIRRORED], np.arange(68))
    for name, (points, _) in OUTLINES.items():
        other = {"right": "left", "left": "right"}.get(name.split()[0])
        partner = OUTLINES[f"{other} {name.split()[1]}"][0] if other else points
        assert sorted(MIRRORED[points]) == list(range(68))[partner]


def test_a_mirrored_face_has_the_mirrored_points(photograph: Image) -> None:
    """dlib on the mirrored photograph; without the exchange of left and right the points are far off."""
    mirrored = augment(photograph[None], PictureChange(PictureAugmentation(flip=1), True, NO_CHANGE.numbers))[0]
    np.testing.assert_array_equal(mirrored, np.fliplr(photograph))
    template = np.random.default_rng(0).normal(size=(68, 2))
    expected = landmarks(mirrored)
    found = mirror_points(landmarks(photograph)) + np.array([photograph.shape[1] - 1, 0])
    eyes = np.linalg.norm(expected[45] - expected[36])
    distance = np.linalg.norm(found - expected, axis=1)
    assert distance.mean() < 0.03 * eyes
    assert distance.max() < 0.1 * eyes
    # Normalised, the place is gone, so that nothing needs to know the picture's width.
    np.testing.assert_allclose(
        normalize_points(found, template), normalize_points(mirror_points(landmarks(photograph)), template), atol=1e-5
    )


def test_shift_applies_its_similarity(face: Image) -> None:
    numbers = {0: 0.6, 1: -0.8, 2: 0.5, 3: -0.7}
    found = augment(face[None], only("shift", numbers))[0]
    angle, scale = np.radians(ANGLE * -0.7), np.exp(SCALE * 0.5)
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    to = np.stack(np.meshgrid(np.arange(128), np.arange(128)), axis=-1) - 63.5
    back = (to - 128 * SHIFT * np.array([0.6, -0.8])) @ np.linalg.inv(linear).T + 63.5
    grey = rgb2gray(face)
    expected = map_coordinates(grey, [back[..., 1], back[..., 0]], order=3, mode="mirror")
    assert np.abs(rgb2gray(found) - expected).mean() < 0.005
    assert np.abs(rgb2gray(found) - grey).mean() > 0.05


def test_a_shift_leaves_normalised_landmarks_alone(photograph: Image) -> None:
    template = landmarks(photograph) - landmarks(photograph).mean(axis=0)
    template /= np.linalg.norm(template)
    moved = augment(photograph[None], only("shift", {0: 0.9, 1: 0.9, 2: -0.9, 3: 0.9}))[0]
    before, after = (normalize_points(landmarks(picture), template) for picture in (photograph, moved))
    assert np.abs(landmarks(photograph) - landmarks(moved)).mean() > 5  # pixels
    assert np.abs(before - after).mean() < 0.01  # of about 2


def test_no_streaks_at_the_edges() -> None:
    """Noise moved stays noise up to the edge: rows and columns there are no repetitions."""
    noise = np.random.default_rng(0).integers(0, 255, (1, 128, 128, 3)).astype(np.uint8)
    moved = augment(noise, only("shift", {0: 1.0, 1: 1.0}))[0].astype(int)
    assert np.abs(moved[0] - moved[1]).mean() > 20
    assert np.abs(moved[:, 0] - moved[:, 1]).mean() > 20


def test_gamma_equals_scikit_image(face: Image) -> None:
    found = augment(face[None], only("light", {6: 0.5}))[0]
    assert np.abs(found.astype(int) - adjust_gamma(face, np.exp(0.2)).astype(int)).max() <= 1


def test_light_falls_off_from_one_side() -> None:
    grey = np.full((1, 128, 128, 3), 100, np.uint8)
    lit = augment(grey, only("light", {4: 1.0}))[0]
    assert lit[64, 127, 0] == pytest.approx(100 * np.exp(0.4), abs=1)
    assert lit[64, 0, 0] == pytest.approx(100 * np.exp(-0.4), abs=1)
    assert (np.diff(lit[64, :, 0].astype(int)) >= 0).all()


def test_greys_keep_their_brightness_and_colours_their_middle(face: Image) -> None:
    grey = np.full((1, 8, 8, 3), 90, np.uint8)
    np.testing.assert_array_equal(augment(grey, only("colour", {10: 0.7, 11: -1.0})), grey)
    # White balance: channels by factors whose product is 1.
    red, green, blue = augment(grey, only("colour", {7: 1.0, 8: -0.5}))[0, 0, 0] / 90.0
    assert red * green * blue == pytest.approx(1, abs=0.02)
    assert red > 1 > green
    pale = augment(face[None], only("colour", {10: -1.0}))[0].astype(float)
    assert np.ptp(pale, axis=2).mean() == pytest.approx(0.6 * np.ptp(face.astype(float), axis=2).mean(), rel=0.05)


@pytest.mark.parametrize("position", range(6))
def test_nothing_wraps_around(position: int) -> None:
    """White stays bright and black dark, whatever is drawn."""
    extremes = np.zeros((1, 128, 128, 3), np.uint8)
    extremes[:, :, 64:] = 255
    change = draw(replace(EVERYTHING, flip=0, shift=0), 0, position)
    found = augment(extremes, change)[0]
    assert found[:, :48].max() < 60
    assert found[:, 80:].min() > 100


def test_blur_equals_scipy(face: Image) -> None:
    found = augment(face[None], only("blur", {12: -0.8}))[0]
    expected = gaussian_filter(face.astype(float), (1.2, 1.2, 0), mode="mirror")
    assert np.abs(found - expected).mean() < 0.5


def test_compression_is_jpeg_of_falling_quality(face: Image) -> None:
    errors = [
        np.abs(augment(face[None], only("compression", {13: one}))[0].astype(int) - face).mean() for one in (0, 0.5, 1)
    ]
    assert 0 < errors[0] < 2 < errors[1] < errors[2] < 12


@pytest.mark.parametrize("kind", ["shift", "light", "colour", "blur"])
def test_at_twice_the_size_the_change_is_the_same(photograph: Image, kind: str) -> None:
    large = photograph[20:276, 96:352]
    small = np.asarray(cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    change = draw(PictureAugmentation(**{kind: 1.0}), 0, 1)
    expected = augment(small[None], change)[0].astype(float)
    found = cv2.resize(augment(large[None], change)[0], (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(found - expected).mean() < 2.5


PARAMS = VgNetParams(width=8, steps=4, batch=2, frames=3, augment=EVERYTHING)


def task(**changes: Any) -> VgNetTask:
    return VgNetTask(DrawnClips(3), DrawnClips(2, seed=1), replace(PARAMS, **changes), 0)


def test_batches_are_the_same_from_any_number_of_loader_threads() -> None:
    alone = list(load_ahead(task().batch, range(6), 1))
    for one, other in zip(alone, load_ahead(task().batch, range(6), 4), strict=True):
        assert torch.equal(one.pictures_BTHWC, other.pictures_BTHWC)
        assert torch.equal(one.landmarks_BTL, other.landmarks_BTL)


def test_processes_that_share_a_batch_draw_what_one_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = task()
    whole = shared.batch(3)
    monkeypatch.setattr(distribution, "world", lambda: 2)
    shares = []
    for rank in (0, 1):
        monkeypatch.setattr(distribution, "rank", lambda rank=rank: rank)
        shares.append(shared.batch(3))
    assert torch.equal(torch.cat([share.pictures_BTHWC for share in shares]), whole.pictures_BTHWC)
    assert torch.equal(torch.cat([share.landmarks_BTL for share in shares]), whole.landmarks_BTL)


def test_pictures_and_landmarks_are_mirrored_together() -> None:
    """As many windows are as asked for, reference and frames alike; the rest is that of a training without."""
    augmentation = PictureAugmentation(flip=0.5)
    without, with_flips, mirrored = task(augment=PictureAugmentation()), task(augment=augmentation), 0
    for step in range(10):
        plain, flipped = without.batch(step), with_flips.batch(step)
        for number in range(2):
            one, other = plain.landmarks_BTL[number].numpy(), flipped.landmarks_BTL[number].numpy()
            if draw(augmentation, 0, 2 * step + number).mirrored:
                mirrored += 1
                np.testing.assert_allclose(mirror_points(one.reshape(-1, 68, 2)).reshape(-1, 136), other)
                assert torch.equal(plain.pictures_BTHWC[number].flip(2), flipped.pictures_BTHWC[number])
            else:
                np.testing.assert_array_equal(one, other)
                assert torch.equal(plain.pictures_BTHWC[number], flipped.pictures_BTHWC[number])
    assert 5 <= mirrored <= 15


def test_the_validation_is_not_augmented() -> None:
    changed, plain = task(), task(augment=PictureAugmentation())
    assert changed.validate(changed.network).metrics == plain.validate(plain.network).metrics
