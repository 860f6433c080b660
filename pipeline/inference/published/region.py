"""The original's face region: a square about the detected face, enlarged, then laid on a template."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.transform import estimate_transform, warp

from pipeline.config.params import WhichFace
from pipeline.faces.crop import SIZE
from pipeline.faces.detect import Box
from pipeline.faces.select import Choice, choose_face

STEADY = slice(27, 45)
"""Nose, right eye and half of the left one: the points that are laid on the template."""


@dataclass(frozen=True)
class Crop:
    """How the original crops."""

    reach: float = 0.64
    """From the middle of the detector's box to a side of the square, as a share of the box's height."""
    side: int = 163
    """Pixels to which the square is resized."""
    margin: int = 1
    """Pixels of the template's frame left and above of the 128 that are kept."""


def find_face(image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> Choice | None:
    """The face that is meant in an RGB picture, as dlib sees the grey picture: its points in whole pixels."""
    grey_HW = np.asarray(cv2.cvtColor(image_HWC, cv2.COLOR_RGB2GRAY), np.uint8)
    choice = choose_face(np.repeat(grey_HW[:, :, None], 3, axis=2), face, grey_HW)
    return None if choice is None else replace(choice, points_68x2=np.round(choice.points_68x2))


def box_around(points_68x2: NDArray[np.floating]) -> Box:
    """About the box that dlib would detect around a face's points: on real faces its side is right to a tenth."""
    middle = points_68x2.mean(axis=0)
    side = 2.82 * float(np.sqrt(((points_68x2 - middle) ** 2).sum(axis=1).mean()))
    x, y = (middle - side * np.array([0.01, 0.07])).tolist()
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def square(box: Box, crop: Crop) -> tuple[int, int, int]:
    """Left, top and side of the square in pixels of the picture; it may reach beyond the picture."""
    left, top, width, height = (int(one) for one in (box.left, box.top, box.right - box.left, box.bottom - box.top))
    reach = max(1, int(crop.reach * height))
    return left + int(0.5 * width) - reach, top + int(0.5 * height) - reach, 2 * reach


def in_square(points_68x2: NDArray[np.floating], box: Box, crop: Crop) -> NDArray[np.float64]:
    """Points of the picture as pixels of the resized square."""
    left, top, side = square(box, crop)
    return np.asarray((points_68x2 - np.array([left, top])) * (crop.side / side), np.float64)


def cut_region(
    image_HWC: NDArray[np.uint8],
    box: Box,
    points_68x2: NDArray[np.floating],
    template_68x2: NDArray[np.float64],
    crop: Crop,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The region (128, 128, 3) of an RGB picture, and the face's points in it (68, 2).

    Beyond the picture its edge is repeated; beyond the square the region is black, as the original's.
    """
    left, top, side = square(box, crop)
    height, width = image_HWC.shape[:2]
    above, before = max(0, -top), max(0, -left)
    below, after = max(0, top + side - height), max(0, left + side - width)
    padded = cv2.copyMakeBorder(image_HWC, above, below, before, after, cv2.BORDER_REPLICATE)
    cut = padded[top + above : top + above + side, left + before : left + before + side]
    resized = cv2.resize(cut, (crop.side, crop.side), interpolation=cv2.INTER_AREA)
    points = in_square(points_68x2, box, crop)
    # In single precision, and cut off rather than rounded: dlib then sees in the region what it saw in the original's.
    back = estimate_transform("similarity", template_68x2[STEADY].astype(np.float32), points[STEADY].astype(np.float32))
    kept = slice(crop.margin, crop.margin + SIZE)
    region = (warp(resized, back, output_shape=resized.shape) * 255).astype(np.uint8)[kept, kept]
    return np.ascontiguousarray(region), (back.inverse(points) - crop.margin).astype(np.float32)
