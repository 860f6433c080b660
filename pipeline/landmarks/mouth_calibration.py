"""Calibrates AT-net's mouth movements to one face, without training.

Otherwise the resting lips of a new face are too far apart or cross, and its mouth opens too little.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.points import COUNT
from pipeline.landmarks.shape import eye_distance, lip_gap

CLOSED_GAP = 0.03  # the gap of closed inner lips that dlib finds on most faces, in eye distances
NARROWEST_CLOSED, WIDEST_CLOSED, PARTED = 0.01, 0.05, 0.065
"""The narrowest and widest gap of a face's own closed lips, and the gap from which lips count as parted, in eye
distances. dlib's closed lips cross on some faces; spoken ones must not."""
GAIN = 1.2
"""Factor for the movements of an open mouth. On unseen speakers AT-net moves it about 0.6 times as far as the real
mouth."""
KNEE = (0.03, 0.10)
"""Openings in eye distances above the resting pose between which the factor grows from 1 to `GAIN`. Lips that close on
p, b and m stay below, and still close."""

CLOSING = 0.015
"""How far lips close beyond their resting pose, in eye distances. Closed further they would cross."""


@dataclass(frozen=True)
class MouthCalibration:
    """The corrections for one face, in K coefficients."""

    reference_K: NDArray[np.float64]
    """Coefficients of the picture's own landmarks."""
    silent_K: NDArray[np.float64]
    """AT-net's output for silence."""
    rest_K: NDArray[np.float64]
    """The same pose with the lips at `resting_gap`."""
    gap_K: NDArray[np.float64]
    """How far a unit of each coefficient parts the lips, in eye distances."""

    @classmethod
    def of(
        cls, landmarks: LandmarkModel, reference_L: NDArray[np.floating], silent_K: NDArray[np.floating]
    ) -> "MouthCalibration":
        """Calibrate to the picture's normalised landmarks (136,) and AT-net's output for silence (K,)."""
        eyes = _eyes(reference_L)
        reference_K = landmarks.project(reference_L).astype(np.float64)
        gap_K = lip_gap(landmarks.basis.T.reshape(-1, COUNT, 2)) / eyes
        missing = resting_gap(reference_L) - own_gap(reference_L)
        rest_K = silent_K.astype(np.float64)
        # The first component is the jaw.
        rest_K[0] += (missing - float((silent_K - reference_K) @ gap_K)) / gap_K[0]
        return cls(reference_K, silent_K.astype(np.float64), rest_K, gap_K)

    def move(self, coefficients_TK: NDArray[np.floating], strength: float) -> NDArray[np.float32]:
        """Correct AT-net's coefficients (T, K): start at the resting pose and open the mouth ``strength`` times as far.

        A strength below 1 blends with the picture's own landmarks, down to these alone at 0.
        """
        moved_TK = coefficients_TK - self.silent_K
        opening_T = (moved_TK * self.gap_K).sum(axis=1)
        moved_TK[:, 0] += np.maximum(0, -CLOSING - opening_T) / self.gap_K[0]
        share_T = np.clip((opening_T - KNEE[0]) / (KNEE[1] - KNEE[0]), 0, 1)
        gain_T = 1 + (GAIN * max(strength, 1.0) - 1) * share_T**2 * (3 - 2 * share_T)
        spoken_TK = self.rest_K + gain_T[:, None] * moved_TK
        share = min(strength, 1.0)
        return np.asarray(self.reference_K + share * (spoken_TK - self.reference_K), np.float32)


def resting_gap(reference_L: NDArray[np.floating]) -> float:
    """The gap of a face's resting inner lips in eye distances, from the picture's normalised landmarks (136,).

    Closed lips rest halfway between most faces' gap and the picture's own. Parted lips close, those of a smile too.
    """
    own = own_gap(reference_L)
    return CLOSED_GAP if own > PARTED else (CLOSED_GAP + float(np.clip(own, NARROWEST_CLOSED, WIDEST_CLOSED))) / 2


def may_rest(reference_L: NDArray[np.floating]) -> bool:
    """Whether the picture shows a mouth at rest: closed lips, and no smile or word that parts them."""
    return own_gap(reference_L) <= PARTED


def own_gap(reference_L: NDArray[np.floating]) -> float:
    """The gap of a picture's inner lips in eye distances, from its normalised landmarks (136,)."""
    return float(lip_gap(reference_L.reshape(1, COUNT, 2))[0]) / _eyes(reference_L)


def _eyes(landmarks_L: NDArray[np.floating]) -> float:
    return float(eye_distance(landmarks_L.reshape(1, COUNT, 2))[0])
