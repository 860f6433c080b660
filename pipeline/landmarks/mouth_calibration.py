"""Where one face's mouth rests, and how far speech moves it from there.

AT-net answers in coefficients that it learnt on other faces. On a new face two things are wrong: the lips rest too far
apart or cross, and the mouth opens too little. Both are corrected here, without training.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.mouth import eye_distance, lip_gap
from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.points import COUNT, MOUTH_LEFT, MOUTH_RIGHT

CLOSED_GAP = 0.03
"""The gap between closed inner lips that dlib finds on most faces, in distances of the eyes."""
WIDEST_CLOSED, PARTED = 0.05, 0.065
"""The widest gap that a face's own closed lips may have, and the gap from which on a picture's lips count as parted."""
SMILE = 0.95
"""From this width on, in distances of the eyes, a mouth with parted lips smiles. Mouths that open in speech are
narrower: 0.71 to 0.92 in most frames of GRID, where smiling portraits have 0.92 to 1.22."""
GAIN = 1.2
"""How much further an open mouth moves than AT-net says. On unseen speakers AT-net moves it about 0.6 times as far as
the real one."""
KNEE = (0.03, 0.10)
"""The openings, in distances of the eyes above the resting pose, between which the gain grows from 1 to its full value.
Below them lips that close on p, b and m still close."""


@dataclass(frozen=True)
class MouthCalibration:
    """The corrections for one face; coefficients have K numbers."""

    reference_K: NDArray[np.float64]
    """Of the picture's own landmarks."""
    silent_K: NDArray[np.float64]
    """What AT-net answers to silence."""
    rest_K: NDArray[np.float64]
    """The same pose with the lips closed."""
    gap_K: NDArray[np.float64]
    """How far each coefficient parts the lips, in distances of the eyes."""

    @classmethod
    def of(
        cls, landmarks: LandmarkModel, reference_L: NDArray[np.floating], silent_K: NDArray[np.floating]
    ) -> "MouthCalibration":
        """From the picture's normalised landmarks (136,) and AT-net's answer to silence (K,).

        The first component, the jaw, moves the lips to `resting_gap`.
        """
        eyes = _eyes(reference_L)
        reference_K = landmarks.project(reference_L).astype(np.float64)
        gap_K = lip_gap(landmarks.basis.T.reshape(-1, COUNT, 2)) / eyes
        missing = resting_gap(reference_L) - own_gap(reference_L)
        rest_K = silent_K.astype(np.float64)
        rest_K[0] += (missing - float((silent_K - reference_K) @ gap_K)) / gap_K[0]
        return cls(reference_K, silent_K.astype(np.float64), rest_K, gap_K)

    def move(self, coefficients_TK: NDArray[np.floating], strength: float) -> NDArray[np.float32]:
        """AT-net's coefficients (T, K) from the corrected resting pose on, with a mouth that opens ``strength`` times
        as far as the calibration has it.

        Below a strength of 1 the face goes over into the picture's own, which it is at 0.
        """
        moved_TK = coefficients_TK - self.silent_K
        opening_T = (moved_TK * self.gap_K).sum(axis=1)
        share_T = np.clip((opening_T - KNEE[0]) / (KNEE[1] - KNEE[0]), 0, 1)
        gain_T = 1 + (GAIN * max(strength, 1.0) - 1) * share_T**2 * (3 - 2 * share_T)
        spoken_TK = self.rest_K + gain_T[:, None] * moved_TK
        share = min(strength, 1.0)
        return np.asarray(self.reference_K + share * (spoken_TK - self.reference_K), np.float32)


def resting_gap(reference_L: NDArray[np.floating]) -> float:
    """The gap between the inner lips of a face that rests, in distances of its eyes, from the picture's normalised
    landmarks (136,).

    Closed lips rest between those of most faces and the picture's own. So does a smile: VG-net cannot close it yet, and
    teeth would shine through the lips. Other parted lips close.
    """
    own = own_gap(reference_L)
    if own <= PARTED:
        return (CLOSED_GAP + float(np.clip(own, 0, WIDEST_CLOSED))) / 2
    return (CLOSED_GAP + own) / 2 if _smiles(reference_L) else CLOSED_GAP


def may_rest(reference_L: NDArray[np.floating]) -> bool:
    """Whether a face may rest as the picture shows it: with closed lips or a smile, and not in the middle of a word."""
    return own_gap(reference_L) <= PARTED or _smiles(reference_L)


def own_gap(reference_L: NDArray[np.floating]) -> float:
    """The gap between a picture's inner lips, in distances of its eyes, from its normalised landmarks (136,)."""
    return float(lip_gap(reference_L.reshape(1, COUNT, 2))[0]) / _eyes(reference_L)


def _smiles(reference_L: NDArray[np.floating]) -> bool:
    points_68x2 = reference_L.reshape(COUNT, 2)
    width = float(np.linalg.norm(points_68x2[MOUTH_LEFT] - points_68x2[MOUTH_RIGHT]))
    return width > SMILE * _eyes(reference_L)


def _eyes(landmarks_L: NDArray[np.floating]) -> float:
    return float(eye_distance(landmarks_L.reshape(1, COUNT, 2))[0])
