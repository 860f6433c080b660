"""The mouth's resting pose and movement on a new face."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.bundles.location import pretrained_folder
from pipeline.landmarks.mouth_calibration import (
    CLOSED_GAP,
    CLOSING,
    GAIN,
    KNEE,
    NARROWEST_CLOSED,
    WIDEST_CLOSED,
    MouthCalibration,
    may_rest,
)
from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.shape import eye_distance, lip_gap

MODEL = LandmarkModel.load(pretrained_folder() / "landmarks")
SILENT = np.array([0.4, -0.1, 0.05, 0.0, 0.1, -0.05])
"""A plausible output of AT-net for silence."""


def face(gap: float) -> NDArray[np.float64]:
    """Normalised landmarks (136,) of an average face whose inner lips are ``gap`` eye distances apart."""
    mean_68x2 = MODEL.mean.reshape(68, 2).copy()
    missing = gap * eye_distance(mean_68x2[None])[0] - lip_gap(mean_68x2[None])[0]
    mean_68x2[[65, 66, 67], 1] += missing
    return mean_68x2.reshape(-1)


def gaps(reference_L: NDArray[np.float64], coefficients_TK: NDArray[np.floating]) -> NDArray[np.float64]:
    """The lip gaps (T,) of a face with these coefficients, in eye distances."""
    moved = MODEL.move(reference_L, MODEL.project(reference_L), coefficients_TK).reshape(-1, 68, 2)
    return lip_gap(moved) / eye_distance(reference_L.reshape(1, 68, 2))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (-0.02, (CLOSED_GAP + NARROWEST_CLOSED) / 2),  # dlib's closed lips cross
        (CLOSED_GAP, CLOSED_GAP),
        (0.06, (CLOSED_GAP + WIDEST_CLOSED) / 2),
        (0.2, CLOSED_GAP),  # in the middle of a word
    ],
)
def test_lips_rest_closed_for_any_picture(own: float, expected: float) -> None:
    reference = face(own)
    calibration = MouthCalibration.of(MODEL, reference, SILENT)
    assert gaps(reference, calibration.move(SILENT[None], 1.0)) == pytest.approx(expected, abs=1e-5)


def test_a_smile_closes_and_is_no_rest() -> None:
    smile = face(0.14).reshape(68, 2)
    smile[48:68, 0] *= 1.4
    calibration = MouthCalibration.of(MODEL, smile.reshape(-1), SILENT)
    assert gaps(smile.reshape(-1), calibration.move(SILENT[None], 1.0)) == pytest.approx(CLOSED_GAP, abs=1e-5)
    assert may_rest(face(0.05))
    for parted in (smile.reshape(-1), face(0.14)):
        assert not may_rest(parted)


@pytest.mark.parametrize(("own", "strengths"), [(-0.02, (1.0, 3.0)), (CLOSED_GAP, (0.5, 1.0, 3.0))])
def test_lips_do_not_cross_at_any_strength(own: float, strengths: tuple[float, ...]) -> None:
    """Below a strength of 1 the mouth approaches the picture's, whose lips may cross."""
    reference = face(own)
    calibration = MouthCalibration.of(MODEL, reference, SILENT)
    opening = np.linspace(-0.2, 0.3, 50)[:, None] * calibration.gap_K / (calibration.gap_K**2).sum()
    for strength in strengths:
        assert (gaps(reference, calibration.move(SILENT + opening, strength)) > 0).all()


def test_lips_close_a_little_beyond_their_rest() -> None:
    reference = face(CLOSED_GAP)
    calibration = MouthCalibration.of(MODEL, reference, SILENT)
    along_K = calibration.gap_K / (calibration.gap_K**2).sum()
    closing = SILENT - np.array([[0.5], [1.0], [4.0]]) * CLOSING * along_K
    expected = CLOSED_GAP - np.array([0.5, 1.0, 1.0]) * CLOSING
    np.testing.assert_allclose(gaps(reference, calibration.move(closing, 1.0)), expected, atol=1e-5)


def test_only_an_open_mouth_moves_further() -> None:
    reference = face(CLOSED_GAP)
    calibration = MouthCalibration.of(MODEL, reference, SILENT)
    along_K = calibration.gap_K / (calibration.gap_K**2).sum()
    closing, wide = SILENT + KNEE[0] * along_K, SILENT + 2 * KNEE[1] * along_K
    for strength in (1.0, 1.5):
        moved = gaps(reference, calibration.move(np.stack([closing, wide]), strength))
        np.testing.assert_allclose(moved - CLOSED_GAP, [KNEE[0], 2 * KNEE[1] * GAIN * strength], atol=1e-5)


def test_strength_0_keeps_the_face() -> None:
    reference = face(0.15)
    calibration = MouthCalibration.of(MODEL, reference, SILENT)
    moved = calibration.move(np.random.default_rng(0).normal(size=(20, 6)), 0.0)
    np.testing.assert_allclose(moved, np.tile(MODEL.project(reference), (20, 1)), atol=1e-6)


def test_frames_do_not_depend_on_chunks() -> None:
    calibration = MouthCalibration.of(MODEL, face(0.02), SILENT)
    coefficients = np.random.default_rng(1).normal(size=(37, 6)).astype(np.float32)
    chunks = [calibration.move(coefficients[start : start + 16], 1.0) for start in range(0, 37, 16)]
    np.testing.assert_array_equal(np.concatenate(chunks), calibration.move(coefficients, 1.0))
