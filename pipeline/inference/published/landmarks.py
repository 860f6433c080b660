"""The original's normalised landmarks: a mean face on which only the expression moves, and its PCA."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import procrustes

from pipeline.landmarks.points import MOUTH as MOUTH_POINTS
from pipeline.landmarks.similarity import apply_similarity, fit_similarity

MOUTH = slice(2 * MOUTH_POINTS.start, 2 * MOUTH_POINTS.stop)
"""Where the mouth's 20 points stand among the 136 numbers."""
RESTING = (1, 0.06)
"""The expression, and how much of it, by whose mouth the mean face of the basics becomes the original's face at rest.
"""


@dataclass(frozen=True)
class Expressions:
    """All float64. ``mean_shape`` (68, 2): the face to which others are fitted. ``rest`` (136,): what every face is
    normalised to while it has the reference's expression. ``expressions`` (E, 136): orthonormal rows; of a
    movement, what they span is kept. ``mean`` (136,) and ``basis`` (136, K): the PCA of normalised landmarks.
    """

    mean_shape: NDArray[np.float64]
    rest: NDArray[np.float64]
    expressions: NDArray[np.float64]
    mean: NDArray[np.float64]
    basis: NDArray[np.float64]

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Points (T, 68, 2), in any pixels, as (T, 136): the face at rest, moved as they are from the reference's.

        The reference's own are always the face at rest, whoever it is and whatever it does: the original's fault, kept
        since its weights know nothing else.
        """
        laid = np.stack([self.laid(points) for points in points_T68x2])
        moved = (laid - self.laid(reference_68x2)).reshape(-1, 136)
        return np.asarray(self.rest + moved @ self.expressions.T @ self.expressions)

    def laid(self, points_68x2: NDArray[np.floating]) -> NDArray[np.float64]:
        """A face's points (68, 2) fitted to the mean face, whose size is 1, by Procrustes analysis."""
        return np.asarray(procrustes(self.mean_shape, points_68x2)[1])

    def place(self, normal_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float64]:
        """Normalised landmarks (T, 136) as pixels (T, 68, 2), on the face whose reference's points are given."""
        own = self.laid(reference_68x2)
        back = fit_similarity(own, reference_68x2)
        return np.stack([apply_similarity(back, own + one.reshape(68, 2)) for one in normal_TL - self.rest])


def resting(mean_L: NDArray[np.float64], expressions_EL: NDArray[np.float64]) -> NDArray[np.float64]:
    """The face at rest (136,): the basics' normalised mean face, with its mouth by ``RESTING``."""
    number, amount = RESTING
    mouth = np.zeros_like(mean_L)
    mouth[MOUTH] = expressions_EL[number, MOUTH]
    return np.asarray(mean_L + amount * (expressions_EL @ mouth) @ expressions_EL)
