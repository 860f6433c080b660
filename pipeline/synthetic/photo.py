"""The photograph behind every face of the sample corpus, and its segmentation.

It is NASA's portrait of the astronaut Eileen Collins (public domain), scikit-image's ``data.astronaut()``. Coordinates
are its pixels, x then y, with pixel centres at whole numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from pipeline.faces.detect import detect_faces, levels_above
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.synthetic import outlines

Points = NDArray[np.float64]
Plane = NDArray[np.float32]

_HEIGHT = 300  # rows of the photograph; a frame shows no more


@dataclass(frozen=True)
class Photo:
    """The upper part of the photograph, dlib's 68 points, and masks (H, W), 0 to 1 with soft edges."""

    image_HWC: NDArray[np.uint8]
    points_68: Points
    person: Plane
    skin: Plane
    eyes: Plane
    lips: Plane
    hair: Plane
    suit: Plane
    """The orange cloth."""


@lru_cache(maxsize=1)
def photo() -> Photo:
    """The photograph, segmented once per process."""
    image = _without_folds(np.ascontiguousarray(data.astronaut()[:_HEIGHT]))
    person, shape = _person(image), image.shape[:2]
    skin = filled([outlines.SKIN], shape, 1.0)
    right, left = outlines.CORNERS
    mouth = [right, *outlines.UPPER_OUTER, left, *reversed(outlines.LOWER_OUTER)]
    opening = [right, *outlines.UPPER_INNER, left, *reversed(outlines.LOWER_INNER)]
    lips = np.clip(filled([mouth], shape, 0.6) - filled([opening], shape, 0.4), 0, 1)
    hair = filled([outlines.HEAD], shape, 1.5) * (1 - skin) * (person > 0.02)
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    orange = ((hue < 14) & (saturation > 120) & (value > 110)).astype(np.float32)
    orange[:180] = 0
    suit = cv2.GaussianBlur(orange, (0, 0), 1.2) * (1 - skin)
    eyes = filled(outlines.EYES, shape, 0.8)
    return Photo(image, _points(image), person, skin, eyes, lips, hair.astype(np.float32), suit)


def _without_folds(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Soften the smile's folds beside the nose, because the rendered faces do not smile."""
    lines = np.zeros(image.shape[:2], np.float32)
    for fold in outlines.FOLDS:
        cv2.polylines(lines, [np.round(np.array(fold) * 16).astype(np.int32)], False, 1.0, 5, cv2.LINE_8, 4)
    share = 0.75 * cv2.GaussianBlur(lines, (0, 0), 1.8)[..., None]
    smooth = cv2.inpaint(image, (lines > 0).astype(np.uint8), 6, cv2.INPAINT_TELEA)
    mixed = image + (cv2.GaussianBlur(smooth, (0, 0), 2.5).astype(np.float32) - image) * share
    return np.round(mixed).astype(np.uint8)


def _points(image: NDArray[np.uint8]) -> Points:
    # The predictor compares single pixels. Enlarging gives it values between them.
    zoom, left, right = 4, 100, 360
    part = image[:240, left:right]
    enlarged = np.asarray(cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LANCZOS4), np.uint8)
    (points,) = predict_landmarks([enlarged], detect_faces(enlarged, skip=levels_above(200))[:1]).astype(np.float64)
    return np.asarray((points + 0.5) / zoom - 0.5 + (left, 0))


def _person(image: NDArray[np.uint8]) -> Plane:
    """Cut the person out (GrabCut, Rother, Kolmogorov and Blake 2004)."""
    labels = np.full(image.shape[:2], cv2.GC_PR_BGD, np.uint8)
    for outline, label in (
        (outlines.PERHAPS_PERSON, cv2.GC_PR_FGD),
        (outlines.SURELY_PERSON, cv2.GC_FGD),
        *((outline, cv2.GC_BGD) for outline in outlines.BEHIND),
    ):
        cv2.fillPoly(labels, [np.array(outline, np.int32)], int(label))
    cv2.setRNGSeed(0)  # for the initial k-means
    cv2.grabCut(image, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    inside = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts, sizes, _ = cv2.connectedComponentsWithStats(inside)
    largest = (parts == 1 + np.argmax(sizes[1:, cv2.CC_STAT_AREA])).astype(np.float32)
    # Shrink the mask a little: the edge has light of the old background.
    return np.asarray(np.clip(cv2.GaussianBlur(largest, (0, 0), 1.3) * 2.2 - 1.1, 0, 1), np.float32)


def filled(shapes: Sequence[outlines.Outline | Points], shape: tuple[int, ...], softness: float) -> Plane:
    """A plane that is 1 inside the outlines, with edges blurred by ``softness`` pixels."""
    plane = np.zeros(shape, np.float32)
    cv2.fillPoly(plane, [np.round(np.array(outline) * 16).astype(np.int32) for outline in shapes], 1.0, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), softness), np.float32)
