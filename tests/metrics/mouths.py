"""Mouths of which it is known how far they are open, and sounds of which it is known how loud they are."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def opened(opening_T: Array) -> NDArray[np.float32]:
    """Points (T, 68, 2) of faces whose inner lips are so far apart, in distances of the eyes (40 pixels); NaN: none."""
    points = np.zeros((len(opening_T), 68, 2), np.float32)
    points[:, 36:42], points[:, 42:48] = [44, 50], [84, 50]
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points[:, 48:68] = np.stack([64 + 14 * np.cos(angles), 90 + 5 * np.sin(angles)], axis=1)
    gap = 40 * np.asarray(opening_T, np.float32)[:, None]
    points[:, 61:64], points[:, 65:68] = [[60, 90], [64, 90], [68, 90]], [[68, 90], [64, 90], [60, 90]]
    points[:, 65:68, 1] += gap
    points[np.isnan(opening_T)] = np.nan
    return points


def babble(frames: int, seed: int = 0) -> Array:
    """Openings as of speech with a pause at both ends, smooth, 0 to about 0.4."""
    draw = np.random.default_rng(seed)
    wave = np.convolve(draw.normal(0, 1, frames + 4), [0.1, 0.25, 0.3, 0.25, 0.1], "valid")
    speaks = (np.arange(frames) > frames // 6) & (np.arange(frames) < frames - frames // 6)
    return np.asarray(np.where(speaks, np.clip(0.15 + 0.2 * wave, 0, 0.45), 0.02))


def loudness_of(opening_T: Array) -> NDArray[np.float32]:
    """A sound that is louder the further the mouth is open, and silent where it is shut."""
    return (0.0005 + 0.4 * np.clip(opening_T - 0.02, 0, None)).astype(np.float32)
