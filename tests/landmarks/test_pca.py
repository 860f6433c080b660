from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.landmarks.pca import LandmarkModel, fit_model, fit_template
from pipeline.landmarks.points import STABLE
from pipeline.runtime.errors import PipelineError

DRAW = np.random.default_rng(3)
FACE = DRAW.standard_normal((68, 2)) * 30 + 64


def clips(people: int = 5, frames: int = 20) -> list[NDArray[np.float64]]:
    """Faces that differ by person in their shape, and within a clip along one direction of the mouth only."""
    direction = np.zeros((68, 2))
    direction[48:, 1] = DRAW.standard_normal(20)
    out = []
    for _ in range(people):
        person = FACE + DRAW.standard_normal((68, 2)) * 5
        out.append(person + DRAW.standard_normal((frames, 1, 1)) * direction)
    return out


def test_normalisation_removes_place_size_and_tilt() -> None:
    model = fit_model(clips(), 6)
    turned = FACE @ (2.5 * np.array([[0.8, -0.6], [0.6, 0.8]])).T + [300, 20]
    np.testing.assert_allclose(model.normalize(FACE[None]), model.normalize(turned[None]), atol=1e-5)


def test_template_is_centred_and_of_norm_one() -> None:
    template = fit_template(np.stack([clip.mean(axis=0) for clip in clips()]))
    np.testing.assert_allclose(template.mean(axis=0), 0, atol=1e-12)
    assert np.linalg.norm(template) == pytest.approx(1)


def test_place_inverts_normalize() -> None:
    model = fit_model(clips(), 6)
    np.testing.assert_allclose(model.place(model.normalize(FACE[None]), FACE)[0], FACE, atol=1e-4)


def test_basis_is_speech_not_identity() -> None:
    """The one direction within clips explains nearly all; differences between people take no component."""
    model = fit_model(clips(), 3)
    assert model.explained[0] > 0.99
    assert model.explained.sum() == pytest.approx(1)
    np.testing.assert_allclose(model.basis.T @ model.basis, np.eye(3), atol=3e-6)  # rounded to a millionth


def test_explained_equals_an_independent_svd() -> None:
    faces = clips(people=8)
    model = fit_model(faces, 6)
    normal = [(clip - clip.mean(axis=0)) for clip in (model.normalize(points).astype(np.float64) for points in faces)]
    singular = np.linalg.svd(np.concatenate(normal), compute_uv=False) ** 2
    np.testing.assert_allclose(model.explained, singular / singular.sum(), atol=1e-5)


def test_move_keeps_the_face_and_follows_the_coefficients() -> None:
    faces = clips()
    model = fit_model(faces, 6)
    landmarks = model.normalize(faces[0])
    moved = model.move(landmarks[0], model.project(landmarks[0]), model.project(landmarks))
    # A clip moves in one direction, so six components lose almost nothing.
    np.testing.assert_allclose(moved, landmarks, atol=1e-2)
    np.testing.assert_array_equal(moved[0], landmarks[0])


def test_an_opening_mouth_does_not_move_the_eyes() -> None:
    model = fit_model(clips(), 6)
    opened = FACE.copy()
    opened[48:, 1] += 10
    shut, wide = model.normalize(np.stack([FACE, opened])).reshape(2, 68, 2)
    np.testing.assert_allclose(shut[STABLE], wide[STABLE], atol=1e-5)


def test_mouth_weights_are_the_mouths_squared_distances() -> None:
    model = fit_model(clips(), 6)
    difference = np.random.default_rng(0).normal(size=6)
    mouth = (model.basis @ difference).reshape(68, 2)[48:]
    squared = np.square(mouth - mouth.mean(axis=0)).sum()
    for focus in (0.0, 3.0):
        expected = np.square(difference).sum() + focus * squared
        assert difference @ model.mouth_weights(focus) @ difference == pytest.approx(expected)


def test_saved_bytes_and_errors(tmp_path: Path) -> None:
    model = fit_model(clips(), 6)
    for name in ("a", "b"):
        model.save(tmp_path / name)
    assert (tmp_path / "a/landmarks.npz").read_bytes() == (tmp_path / "b/landmarks.npz").read_bytes()
    np.testing.assert_array_equal(LandmarkModel.load(tmp_path / "a").basis, model.basis)
    with pytest.raises(PipelineError, match=r"landmarks\.npz is missing\. Run `dvc repro pca`"):
        LandmarkModel.load(tmp_path)
    (tmp_path / "a/landmarks.npz").write_bytes(b"no npz")
    with pytest.raises(PipelineError, match="is not a landmark model"):
        LandmarkModel.load(tmp_path / "a")
