"""What a head does while its mouth speaks: it sways, nods and turns a little, lifts the brows, and blinks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.corpora.synthetic.speech import FRAMES
from pipeline.runtime.clock import FPS

_LID = np.array([0.35, 0.9, 1.0, 0.75, 0.35])  # how far closed over the five frames (0.2 s) of a blink
_BLINKS = 3.2  # seconds from one blink to the next, on average


@dataclass(frozen=True)
class HeadTrack:
    """One value per frame, (T,) each; pixels of the frame, radians, or 0 to 1."""

    x_T: NDArray[np.float64]
    y_T: NDArray[np.float64]
    roll_T: NDArray[np.float64]
    zoom_T: NDArray[np.float64]
    """Growth: 0.01 is 1% larger."""
    yaw_T: NDArray[np.float64]
    """Shift of the nose against the rim of the face, pixels."""
    pitch_T: NDArray[np.float64]
    brows_T: NDArray[np.float64]
    """Pixels upwards."""
    blink_T: NDArray[np.float64]
    """0 open, 1 closed."""


def head_track(opening_T: NDArray[np.float64], rng: np.random.Generator) -> HeadTrack:
    """One clip's movements. ``opening_T`` (0 to 1), the mouth's, tells stressed syllables, which get nods and brows."""

    def sway(size: float, seconds: float) -> NDArray[np.float64]:
        noise_T = gaussian_filter1d(rng.standard_normal(FRAMES + 200), seconds * FPS)[100:-100]
        return np.asarray(size * noise_T * np.sqrt(2 * seconds * FPS * np.sqrt(np.pi)))

    stress_T = gaussian_filter1d(opening_T, 0.12 * FPS)
    return HeadTrack(
        x_T=rng.normal(0, 3) + sway(2.0, 0.5),
        y_T=rng.normal(0, 2) + sway(1.2, 0.4) + 2.0 * stress_T,
        roll_T=rng.normal(0, 0.015) + sway(0.012, 0.5),
        zoom_T=rng.normal(0, 0.008) + sway(0.006, 0.6),
        yaw_T=rng.normal(0, 0.8) + sway(0.9, 0.5),
        pitch_T=sway(0.7, 0.4) + 0.8 * stress_T,
        brows_T=0.8 * rng.random() + 1.6 * stress_T + sway(0.3, 0.3),
        blink_T=_blinks(rng),
    )


def _blinks(rng: np.random.Generator) -> NDArray[np.float64]:
    blink_T = np.zeros(FRAMES + len(_LID))
    start = rng.exponential(_BLINKS) * FPS
    while start < FRAMES:
        frame = int(start)
        blink_T[frame : frame + len(_LID)] = np.maximum(blink_T[frame : frame + len(_LID)], _LID)
        start += (0.5 + rng.exponential(_BLINKS)) * FPS
    return blink_T[:FRAMES]
