"""Faces for the published weights: the region that is cropped, and the normalised landmarks.

The region is a square around the detected face, resized and then aligned to a template. In normalised landmarks a mean
face has the expression of the speaker.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import procrustes
from skimage.transform import estimate_transform, warp

from pipeline.config.params import WhichFace
from pipeline.faces.crop import SIZE
from pipeline.faces.detect import Box
from pipeline.faces.select import ChosenFace, choose_face
from pipeline.landmarks.points import MOUTH
from pipeline.landmarks.similarity import apply_similarity, fit_similarity

STEADY = slice(27, 45)  # nose, right eye and half of the left eye: the points that are aligned to the template
RESTING = (1, 0.06)
"""Index and amount of the expression whose mouth turns the mean face of the basics into the original's resting face."""


@dataclass(frozen=True)
class CropRecipe:
    """Parameters of the original's crop."""

    reach: float = 0.64  # half the side of the square, as a share of the height of the detector's box
    side: int = 163  # side in pixels of the resized square
    margin: int = 1  # pixels cut off at the left and at the top; 128 are kept


def find_face(image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> ChosenFace | None:
    """Select a face of an RGB picture. Its points are those of the grey picture, in whole pixels."""
    grey_HW = np.asarray(cv2.cvtColor(image_HWC, cv2.COLOR_RGB2GRAY), np.uint8)
    choice = choose_face(np.repeat(grey_HW[:, :, None], 3, axis=2), face, grey_HW)
    return None if choice is None else replace(choice, points_68x2=np.round(choice.points_68x2))


def box_around(points_68x2: NDArray[np.floating]) -> Box:
    """Estimate the box that dlib would detect from a face's points. Its side is right to about 10% on real faces."""
    middle = points_68x2.mean(axis=0)
    side = 2.82 * float(np.sqrt(((points_68x2 - middle) ** 2).sum(axis=1).mean()))
    x, y = (middle - side * np.array([0.01, 0.07])).tolist()
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def square(box: Box, crop: CropRecipe) -> tuple[int, int, int]:
    """Return left, top and side of the square in pixels of the picture. It may extend beyond the picture."""
    left, top, width, height = (int(value) for value in (box.left, box.top, box.right - box.left, box.bottom - box.top))
    reach = max(1, int(crop.reach * height))
    return left + int(0.5 * width) - reach, top + int(0.5 * height) - reach, 2 * reach


def in_square(points_68x2: NDArray[np.floating], box: Box, crop: CropRecipe) -> NDArray[np.float64]:
    """Convert points of the picture to pixels of the resized square."""
    left, top, side = square(box, crop)
    return np.asarray((points_68x2 - np.array([left, top])) * (crop.side / side), np.float64)


def cut_region(
    image_HWC: NDArray[np.uint8],
    box: Box,
    points_68x2: NDArray[np.floating],
    template_68x2: NDArray[np.float64],
    crop: CropRecipe,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the region (128, 128, 3) of an RGB picture, and the face's points in it (68, 2).

    Beyond the picture its edge is repeated. Beyond the square the region is black, as in the original.
    """
    left, top, side = square(box, crop)
    height, width = image_HWC.shape[:2]
    above, before = max(0, -top), max(0, -left)
    below, after = max(0, top + side - height), max(0, left + side - width)
    padded = cv2.copyMakeBorder(image_HWC, above, below, before, after, cv2.BORDER_REPLICATE)
    cut = padded[top + above : top + above + side, left + before : left + before + side]
    resized = cv2.resize(cut, (crop.side, crop.side), interpolation=cv2.INTER_AREA)
    points = in_square(points_68x2, box, crop)
    # Single precision and truncation instead of rounding: dlib then finds the same landmarks as in the original.
    back = estimate_transform("similarity", template_68x2[STEADY].astype(np.float32), points[STEADY].astype(np.float32))
    kept = slice(crop.margin, crop.margin + SIZE)
    region = (warp(resized, back, output_shape=resized.shape) * 255).astype(np.uint8)[kept, kept]
    return np.ascontiguousarray(region), (back.inverse(points) - crop.margin).astype(np.float32)


@dataclass(frozen=True)
class Expressions:
    """The original's landmark model."""

    mean_shape: NDArray[np.float64]  # (68, 2): the face that other faces are fitted to
    rest: NDArray[np.float64]  # (136,): the normalised landmarks of every reference
    expressions: NDArray[np.float64]  # (E, 136), orthonormal rows: movements are projected onto their span
    mean: NDArray[np.float64]  # (136,): mean of the PCA of normalised landmarks
    basis: NDArray[np.float64]  # (136, K): basis of that PCA

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Convert points (T, 68, 2), in any pixels, to (T, 136): the resting face plus the movement from the reference.

        The reference is always normalised to the resting face, whatever its expression. This is a fault of the original
        that its weights depend on.
        """
        fitted = np.stack([self.fit(points) for points in points_T68x2])
        moved = (fitted - self.fit(reference_68x2)).reshape(-1, 136)
        return np.asarray(self.rest + moved @ self.expressions.T @ self.expressions)

    def fit(self, points_68x2: NDArray[np.floating]) -> NDArray[np.float64]:
        """Fit a face's points (68, 2) to the mean face, whose size is 1, by Procrustes analysis."""
        return np.asarray(procrustes(self.mean_shape, points_68x2)[1])

    def place(self, normal_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float64]:
        """Convert normalised landmarks (T, 136) to pixels (T, 68, 2) at the position of the reference's face."""
        own = self.fit(reference_68x2)
        back = fit_similarity(own, reference_68x2)
        return np.stack([apply_similarity(back, own + shift.reshape(68, 2)) for shift in normal_TL - self.rest])


def resting(mean_L: NDArray[np.float64], expressions_EL: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the resting face (136,): the normalised mean face of the basics, with the mouth of ``RESTING``."""
    number, amount = RESTING
    mouth = np.zeros((68, 2))
    mouth[MOUTH] = expressions_EL[number].reshape(68, 2)[MOUTH]
    return np.asarray(mean_L + amount * (expressions_EL @ mouth.reshape(-1)) @ expressions_EL)
