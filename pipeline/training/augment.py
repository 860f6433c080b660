"""Augmentation: a window as another camera and another light would have shown it, or mirrored.

What a window undergoes is drawn once, for its reference and all its frames, since a video is of one camera: a network
that meets a bluish or blurred reference shall paint a bluish or blurred video. The draw is a pure function of the seed
and the window's position in the training, as the window itself is.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.config.training import PictureAugmentation
from pipeline.faces.crop import decode_jpeg, encode_jpeg
from pipeline.training.data import Stream

SHIFT, SCALE, ANGLE = 0.05, 0.08, 5.0
"""How far a crop is moved at a strength of 1: share of its side, of its size, degrees."""
GAMMA, GRADIENT = 0.4, 0.4
"""Natural logarithms of the strongest gamma, and of what one edge is brighter than the middle."""
BALANCE, SATURATION, HUE = 0.15, 0.4, 10.0
"""Natural logarithm of a channel's strongest gain, share of the saturation, degrees about the axis of greys."""
BLUR = 1.5 / 128
"""Standard deviation of the strongest blur, as a share of the side."""
BEST, WORST = 95, 20
"""JPEG qualities, the lower at a strength of 1."""
LUMA = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue (ITU-R BT.601)."""


class Change(NamedTuple):
    """What a window undergoes: strengths, whether it is mirrored, and numbers in [-1, 1) that the rest follows from."""

    strength: PictureAugmentation
    mirrored: bool
    numbers: NDArray[np.float64]


NO_CHANGE = Change(PictureAugmentation(), False, np.zeros(14))


def draw(strength: PictureAugmentation, seed: int, position: int) -> Change:
    """The change of the window at `position`, counted over the whole training; a kind's draw hangs on no other's."""
    random = np.random.default_rng([seed, Stream.AUGMENTATION, position])
    return Change(strength, bool(random.random() < strength.flip), random.uniform(-1, 1, len(NO_CHANGE.numbers)))


def augment(pictures_THWC: NDArray[np.uint8], change: Change) -> NDArray[np.uint8]:
    """Pictures of any size, RGB uint8, after `change`; kinds of strength 0 leave every byte as it is."""
    strength, numbers = change.strength, change.numbers
    if change.mirrored:
        pictures_THWC = np.ascontiguousarray(pictures_THWC[:, :, ::-1])
    if strength.shift:
        pictures_THWC = _shifted(pictures_THWC, strength.shift * numbers[:4])
    if strength.light:
        pictures_THWC = _lit(pictures_THWC, strength.light * numbers[4:7])
    if strength.colour:
        pictures_THWC = _coloured(pictures_THWC, strength.colour * numbers[7:12])
    if strength.blur:
        sigma = BLUR * pictures_THWC.shape[1] * strength.blur * abs(numbers[12])
        pictures_THWC = np.stack([cv2.GaussianBlur(one, (0, 0), max(sigma, 0.1)) for one in pictures_THWC])
    if strength.compression:
        quality = round(BEST - (BEST - WORST) * strength.compression * abs(numbers[13]))
        pictures_THWC = np.stack([decode_jpeg(encode_jpeg(one, quality)) for one in pictures_THWC])
    return pictures_THWC


def _shifted(pictures_THWC: NDArray[np.uint8], numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Moved, scaled and turned about the middle. Normalised landmarks stay: they know no place, size or tilt.

    Edges are mirrored: repeated, they are streaks, which a network learns to paint.
    """
    x, y, scale, angle = numbers
    size = pictures_THWC.shape[1]
    middle = (size - 1) / 2
    transform_2x3 = cv2.getRotationMatrix2D((middle, middle), ANGLE * angle, np.exp(SCALE * scale))
    transform_2x3[:, 2] += SHIFT * size * x, SHIFT * size * y
    sides, cubic, mirrored = (size, size), cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101
    moved = [cv2.warpAffine(one, transform_2x3, sides, flags=cubic, borderMode=mirrored) for one in pictures_THWC]
    return np.stack(moved).astype(np.uint8, copy=False)


def _lit(pictures_THWC: NDArray[np.uint8], numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Another gamma, and a light that falls off smoothly from one side."""
    x, y, gamma = numbers
    levels = (255 * (np.arange(256) / 255) ** np.exp(GAMMA * gamma)).astype(np.float32)
    across = np.linspace(-1, 1, pictures_THWC.shape[1])
    light_HW1 = np.exp(GRADIENT * (x * across[None, :, None] + y * across[:, None, None])).astype(np.float32)
    lit = levels[pictures_THWC] * light_HW1
    return np.asarray(np.minimum(lit + 0.5, 255).astype(np.uint8))


def _coloured(pictures_THWC: NDArray[np.uint8], numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Another white balance, saturation and hue: one matrix of colours, under which greys keep their brightness."""
    balance, (saturation, hue) = numbers[:3] - numbers[:3].mean(), numbers[3:]
    turn_3x3, _ = cv2.Rodrigues(np.full(3, np.radians(HUE * hue) / np.sqrt(3)))
    vivid = 1 + SATURATION * saturation
    matrix_3x3 = np.exp(BALANCE * balance)[:, None] * (vivid * np.eye(3) + (1 - vivid) * LUMA) @ turn_3x3
    tall = pictures_THWC.reshape(-1, *pictures_THWC.shape[2:])
    return np.asarray(cv2.transform(tall, matrix_3x3), np.uint8).reshape(pictures_THWC.shape)
