"""Normalised landmarks and their PCA (paper, section 3.1): the language in which AT-net answers and VG-net is asked.

A set of 68 points is taken by a similarity transform onto a template (identity's place, size and tilt go), times 5,
flattened to 136 numbers x0, y0, x1, y1, ...; K coefficients describe how speech moves it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.points import COUNT, MOUTH, STABLE
from pipeline.landmarks.similarity import apply_similarity, fit_similarity, invert_similarity
from pipeline.runtime.arrays import to_grid
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

FACTOR = 5.0
"""The paper's scale of normalised landmarks; coordinates then lie in about [-1, 1]."""

STEP = 2.0**-20
"""What is fitted are multiples of it."""

FILE = "landmarks.npz"


@dataclass(frozen=True)
class LandmarkModel:
    """Fitted on the training split alone.

    ``template`` (68, 2): the Procrustes mean, centred, of Frobenius norm 1. ``mean`` (136,): of normalised landmarks.
    ``basis`` (136, K): orthonormal columns. ``explained`` (136,): each component's share of the variance.
    """

    template: NDArray[np.float64]
    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    explained: NDArray[np.float64]

    @property
    def components(self) -> int:
        """K."""
        return int(self.basis.shape[1])

    @property
    def digest(self) -> str:
        """A hash of template, mean and basis: networks that were trained with equal ones belong together."""
        content = b"".join(array.tobytes() for array in (self.template, self.mean, self.basis))
        return hashlib.sha256(content).hexdigest()

    def normalize(self, points_T68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (T, 68, 2) in any pixels as normalised landmarks (T, 136) float32."""
        return np.stack([normalize_points(points, self.template) for points in points_T68x2]).astype(np.float32)

    def place(self, landmarks_TL: NDArray[np.floating], like_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (T, 136) back as pixels (T, 68, 2), where the face of points ``like_68x2`` stands."""
        back = invert_similarity(fit_similarity(like_68x2[STABLE], self.template[STABLE]))
        shapes = landmarks_TL.reshape(-1, 68, 2) / FACTOR
        return np.stack([apply_similarity(back, shape) for shape in shapes]).astype(np.float32)

    def project(self, landmarks_TL: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (T, 136) as coefficients (T, K)."""
        return ((landmarks_TL - self.mean) @ self.basis).astype(np.float32)

    def move(
        self,
        reference_L: NDArray[np.floating],
        reference_K: NDArray[np.floating],
        coefficients_TK: NDArray[np.floating],
    ) -> NDArray[np.float32]:
        """The reference's landmarks (136,) moved from its own coefficients to ``coefficients_TK``: (T, 136).

        The face keeps its shape, which K coefficients alone could not tell.
        """
        return (reference_L + (coefficients_TK - reference_K) @ self.basis.T).astype(np.float32)

    def mouth_weights(self, focus: float) -> NDArray[np.float64]:
        """W (K, K) so that a difference d of coefficients has d' W d = |d|^2 + ``focus`` times the squared distances
        of the mouth's points, each set's own mean subtracted, as in LMD.
        """
        mouth = self.basis.reshape(COUNT, 2, -1)[MOUTH]
        apart = (mouth - mouth.mean(axis=0)).reshape(-1, self.components)
        return np.asarray(np.eye(self.components) + focus * apart.T @ apart)

    def save(self, folder: StrPath) -> None:
        """Write ``folder/landmarks.npz``, the same bytes for the same model."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / FILE, template=self.template, mean=self.mean, basis=self.basis, explained=self.explained)

    @classmethod
    def load(cls, folder: StrPath) -> "LandmarkModel":
        """Read it back; PipelineError when the file is not there or is none of ours."""
        folder = Path(folder)
        path = folder / FILE
        if not path.exists():
            raise PipelineError(f"{path} is missing. Run `dvc repro pca` to fit it.")
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data["template"], data["mean"], data["basis"], data["explained"])
        except (ValueError, KeyError, OSError) as error:
            raise PipelineError(
                f"{path} is not a landmark model ({error}). Run `dvc repro -f pca` to fit it again."
            ) from error


def normalize_points(points_68x2: NDArray[np.floating], template_68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """One face's points on the template by the similarity of the stable points, times 5, as (136,)."""
    fitted = fit_similarity(points_68x2[STABLE], template_68x2[STABLE])
    return FACTOR * apply_similarity(fitted, points_68x2).reshape(-1)


def fit_template(shapes_C68x2: NDArray[np.floating], rounds: int = 20) -> NDArray[np.float64]:
    """Generalised Procrustes mean (Gower 1975) over the stable points: (68, 2), centred, Frobenius norm 1."""
    template = _unit(shapes_C68x2[0].astype(np.float64))
    for _ in range(rounds):
        laid = [apply_similarity(fit_similarity(one[STABLE], template[STABLE]), one) for one in shapes_C68x2]
        template = _unit(np.mean(laid, axis=0))
    return template


def _unit(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = shape - shape.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred))


def fit_model(clips: Iterable[NDArray[np.floating]], components: int) -> LandmarkModel:
    """Fit to clips of points (T, 68, 2), the training split's.

    The basis is that of the scatter within clips: what moves while one person speaks. The scatter between clips is
    faces, and would take up components that speech needs.

    Everything is rounded to a millionth, so that every processor gives the same bytes: libraries of linear algebra
    differ by some 1e-13 between processors, and a millionth of a normalised face is a ten-thousandth of a pixel.
    """
    points = list(clips)
    template = to_grid(fit_template(np.stack([clip.mean(axis=0) for clip in points])), STEP)
    normal = [np.stack([normalize_points(one, template) for one in clip]) for clip in points]
    everything = np.concatenate(normal)
    deviations = np.concatenate([clip - clip.mean(axis=0) for clip in normal])
    values, vectors = np.linalg.eigh(deviations.T @ deviations / len(deviations))
    values, basis = np.maximum(values[::-1], 0.0), to_grid(vectors[:, ::-1][:, :components], STEP)
    # An eigenvector's sign is arbitrary: its largest entry is made positive, so that bytes do not hang on the library.
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.sign(basis[largest, np.arange(components)]) + 0.0  # no negative zeros
    return LandmarkModel(template, to_grid(everything.mean(axis=0), STEP), basis, to_grid(values / values.sum(), STEP))
