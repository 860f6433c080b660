"""Normalised landmarks and their PCA (paper, section 3.1): AT-net's output and VG-net's input.

A similarity transform maps a face's 68 points onto a template. The points are multiplied by 5 and flattened to 136
numbers x0, y0, x1, y1, ... K coefficients describe how speech moves them.
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
"""The paper's scale of normalised landmarks. Coordinates lie in about [-1, 1]."""
_GRID = 2.0**-20  # fitted numbers are multiples of it

FILE = "landmarks.npz"


@dataclass(frozen=True)
class LandmarkModel:
    """The PCA, fitted on the training split alone."""

    template: NDArray[np.float64]
    """(68, 2): the Procrustes mean, centred, of Frobenius norm 1."""
    mean: NDArray[np.float64]
    """(136,): the mean of normalised landmarks."""
    basis: NDArray[np.float64]
    """(136, K): orthonormal columns."""
    explained: NDArray[np.float64]
    """(136,): each component's share of the variance."""

    @property
    def components(self) -> int:
        """K, the number of coefficients."""
        return int(self.basis.shape[1])

    @property
    def digest(self) -> str:
        """A hash of template, mean and basis. Networks with equal digests can be used together."""
        content = b"".join(array.tobytes() for array in (self.template, self.mean, self.basis))
        return hashlib.sha256(content).hexdigest()

    def normalize(self, points_T68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (T, 68, 2) in any unit to normalised landmarks (T, 136) float32."""
        return np.stack([normalize_points(points, self.template) for points in points_T68x2]).astype(np.float32)

    def place(self, landmarks_TL: NDArray[np.floating], like_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (T, 136) to pixels (T, 68, 2), at the place of the face ``like_68x2``."""
        back = invert_similarity(fit_similarity(like_68x2[STABLE], self.template[STABLE]))
        shapes = landmarks_TL.reshape(-1, 68, 2) / FACTOR
        return np.stack([apply_similarity(back, shape) for shape in shapes]).astype(np.float32)

    def project(self, landmarks_TL: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (T, 136) to coefficients (T, K)."""
        return ((landmarks_TL - self.mean) @ self.basis).astype(np.float32)

    def move(
        self,
        reference_L: NDArray[np.floating],
        reference_K: NDArray[np.floating],
        coefficients_TK: NDArray[np.floating],
    ) -> NDArray[np.float32]:
        """Move the reference's landmarks (136,) from its own coefficients to ``coefficients_TK``: (T, 136).

        The face keeps its own shape, which K coefficients alone do not describe.
        """
        return (reference_L + (coefficients_TK - reference_K) @ self.basis.T).astype(np.float32)

    def mouth_weights(self, focus: float) -> NDArray[np.float64]:
        """The matrix W (K, K) of a loss d' W d that gives the mouth more weight.

        For a difference d of coefficients, d' W d is |d|^2 plus ``focus`` times the squared distances of the mouth's
        points, each set less its own mean, as in LMD.
        """
        mouth = self.basis.reshape(COUNT, 2, -1)[MOUTH]
        apart = (mouth - mouth.mean(axis=0)).reshape(-1, self.components)
        return np.asarray(np.eye(self.components) + focus * apart.T @ apart)

    def save(self, folder: StrPath) -> None:
        """Write ``folder/landmarks.npz``. The same model gives the same bytes."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / FILE, template=self.template, mean=self.mean, basis=self.basis, explained=self.explained)

    @classmethod
    def load(cls, folder: StrPath) -> "LandmarkModel":
        """Read what `save` wrote. Raises PipelineError when the file is missing or has another format."""
        path = Path(folder) / FILE
        if not path.exists():
            raise PipelineError(f"{path} is missing. Run `dvc repro pca` to fit it.")
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data["template"], data["mean"], data["basis"], data["explained"])
        except (ValueError, KeyError, OSError) as error:
            reason = f"is not a landmark model ({error})"
            raise PipelineError(reason, subject=path, advice="Run `dvc repro -f pca` to fit it again.") from error


def normalize_points(points_68x2: NDArray[np.floating], template_68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    """One face's points (68, 2) as normalised landmarks (136,)."""
    fitted = fit_similarity(points_68x2[STABLE], template_68x2[STABLE])
    return FACTOR * apply_similarity(fitted, points_68x2).reshape(-1)


def fit_template(shapes_C68x2: NDArray[np.floating], rounds: int = 20) -> NDArray[np.float64]:
    """Generalised Procrustes mean (Gower 1975) over the stable points: (68, 2), centred, Frobenius norm 1."""
    template = _unit(shapes_C68x2[0].astype(np.float64))
    for _ in range(rounds):
        aligned = [apply_similarity(fit_similarity(shape[STABLE], template[STABLE]), shape) for shape in shapes_C68x2]
        template = _unit(np.mean(aligned, axis=0))
    return template


def _unit(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = shape - shape.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred))


def fit_model(clips: Iterable[NDArray[np.floating]], components: int) -> LandmarkModel:
    """Fit the model to the training split's clips of points (T, 68, 2).

    The basis is fitted to the scatter within clips, which is movement of one speaker. The scatter between clips is the
    difference of faces, and would use up components that speech needs. Numbers are rounded to a millionth, a
    ten-thousandth of a pixel, so that every processor gives the same bytes.
    """
    clips = list(clips)
    template = to_grid(fit_template(np.stack([clip.mean(axis=0) for clip in clips])), _GRID)
    normal = [np.stack([normalize_points(points, template) for points in clip]) for clip in clips]
    mean = to_grid(np.concatenate(normal).mean(axis=0), _GRID)
    deviations = np.concatenate([clip - clip.mean(axis=0) for clip in normal])
    values, vectors = np.linalg.eigh(deviations.T @ deviations / len(deviations))
    values, basis = np.maximum(values[::-1], 0.0), to_grid(vectors[:, ::-1][:, :components], _GRID)
    # The sign of an eigenvector depends on the library: make its largest entry positive.
    largest = np.abs(basis).argmax(axis=0)
    basis = basis * np.sign(basis[largest, np.arange(components)]) + 0.0  # no negative zeros
    return LandmarkModel(template, mean, basis, to_grid(values / values.sum(), _GRID))
