"""Augmentation of VG-net's pictures: another camera, another light, or a mirror image.

Each window draws its changes once, for the reference and all frames, because one camera records a video.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.config.training import PictureAugmentation
from pipeline.faces.crop import decode_jpeg, encode_jpeg
from pipeline.training.data import Stream

# Largest changes, at strength 1. Logarithms are natural.
SHIFT, SCALE, ANGLE = 0.05, 0.08, 5.0  # share of the side, logarithm of the scale, and degrees
GAMMA, GRADIENT = 0.4, 0.4  # logarithms of the gamma, and of the brightness of an edge relative to the middle
BALANCE, SATURATION, HUE = 0.15, 0.4, 10.0  # logarithm of a channel's gain, share, and degrees about the grey axis
BLUR = 1.5 / 128  # standard deviation of the strongest blur, as a share of the side
BEST, WORST = 95, 20  # JPEG qualities at strengths 0 and 1
LUMA = np.array([0.299, 0.587, 0.114])  # weights of red, green and blue in the brightness (ITU-R BT.601)


class PictureChange(NamedTuple):
    """The augmentation of one window: strengths, whether it is mirrored, and random numbers in [-1, 1)."""

    strength: PictureAugmentation
    mirrored: bool
    numbers: NDArray[np.float64]


NO_CHANGE = PictureChange(PictureAugmentation(), False, np.zeros(14))


def draw(strength: PictureAugmentation, seed: int, position: int) -> PictureChange:
    """The change of the window at `position`, counted over the whole training; each kind is drawn independently."""
    random = np.random.default_rng([seed, Stream.AUGMENTATION, position])
    return PictureChange(strength, bool(random.random() < strength.flip), random.uniform(-1, 1, len(NO_CHANGE.numbers)))


def augment(pictures_THWC: NDArray[np.uint8], change: PictureChange) -> NDArray[np.uint8]:
    """Apply `change` to RGB uint8 pictures of any size; kinds of strength 0 change no byte."""
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
        pictures_THWC = np.stack([cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.1)) for picture in pictures_THWC])
    if strength.compression:
        quality = round(BEST - (BEST - WORST) * strength.compression * abs(numbers[13]))
        pictures_THWC = np.stack([decode_jpeg(encode_jpeg(picture, quality)) for picture in pictures_THWC])
    return pictures_THWC


def _shifted(pictures_THWC: NDArray[np.uint8], numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Shift, scale and rotate about the middle. Normalised landmarks do not depend on these, so they stay.

    Edges are mirrored: repeated edges are streaks, which a network learns to paint.
    """
    x, y, scale, angle = numbers
    size = pictures_THWC.shape[1]
    middle = (size - 1) / 2
    transform_2x3 = cv2.getRotationMatrix2D((middle, middle), ANGLE * angle, np.exp(SCALE * scale))
    transform_2x3[:, 2] += SHIFT * size * x, SHIFT * size * y
    cubic, mirrored = cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101
    moved = [
        cv2.warpAffine(picture, transform_2x3, (size, size), flags=cubic, borderMode=mirrored)
        for picture in pictures_THWC
    ]
    return np.stack(moved).astype(np.uint8, copy=False)


def _lit(pictures_THWC: NDArray[np.uint8], numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Change gamma, and add a light that falls off smoothly from one side."""
    x, y, gamma = numbers
    levels = (255 * (np.arange(256) / 255) ** np.exp(GAMMA * gamma)).astype(np.float32)
    across = np.linspace(-1, 1, pictures_THWC.shape[1])
    light_HW1 = np.exp(GRADIENT * (x * across[None, :, None] + y * across[:, None, None])).astype(np.float32)
    return np.asarray(np.minimum(levels[pictures_THWC] * light_HW1 + 0.5, 255).astype(np.uint8))


def _coloured(pictures_THWC: NDArray[np.uint8], numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Change white balance, saturation and hue by one colour matrix that keeps the brightness of greys."""
    balance, (saturation, hue) = numbers[:3] - numbers[:3].mean(), numbers[3:]
    turn_3x3, _ = cv2.Rodrigues(np.full(3, np.radians(HUE * hue) / np.sqrt(3)))
    vivid = 1 + SATURATION * saturation
    matrix_3x3 = np.exp(BALANCE * balance)[:, None] * (vivid * np.eye(3) + (1 - vivid) * LUMA) @ turn_3x3
    tall = pictures_THWC.reshape(-1, *pictures_THWC.shape[2:])
    return np.asarray(cv2.transform(tall, matrix_3x3), np.uint8).reshape(pictures_THWC.shape)
