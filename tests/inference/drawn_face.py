"""A face with simple, known points in a grey picture with a fine pattern."""

import cv2
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.faces.crop import CROP, SIZE, crop_face
from pipeline.inference.compositing.base import Painted
from pipeline.landmarks.points import INNER_LIPS, OUTER_LIPS, STABLE
from pipeline.landmarks.similarity import apply_similarity, invert_similarity
from pipeline.preprocessing.base import Reference

SCALE = 4
"""Pixels of the picture per pixel of the crop."""
ENLARGED = np.array([[SCALE, 0, (SCALE - 1) / 2], [0, SCALE, (SCALE - 1) / 2]])
"""The transform from pixels of the crop to those of the picture."""
EYES = 35.77
"""The distance of the eyes in pixels of the crop."""
CLOSED = 1.0
"""Gap of closed inner lips in pixels of the crop, about as dlib finds it."""
LIPS_Y = 82.0
"""Height of the line between the lips in the crop."""
GREEN = (0, 255, 0)


def face(gap: float = CLOSED) -> NDArray[np.float32]:
    """The points (68, 2) of a face in its crop, whose inner lips are ``gap`` pixels apart."""
    points = np.zeros((68, 2))
    turn = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([64 + 44 * np.cos(turn), 48 + 62 * np.sin(turn)], axis=1)
    points[17:22] = np.stack([np.linspace(36, 57, 5), [33, 30, 29, 30, 32]], axis=1)
    points[22:27] = np.stack([np.linspace(71, 92, 5), [32, 30, 29, 30, 33]], axis=1)
    points[STABLE] = CROP.points
    points[[37, 38, 43, 44]] = [(43, 38), (49, 38), (79, 38), (85, 38)]
    points[[41, 40, 47, 46]] = [(43, 43), (49, 43), (79, 43), (85, 43)]
    turn = np.arange(12) * np.pi / 6 + np.pi  # from the right corner of the mouth over the upper lip
    points[OUTER_LIPS] = np.stack([64 + 16 * np.cos(turn), LIPS_Y + (6 + gap / 2) * np.sin(turn)], axis=1)
    across, up = np.array([-13, -8, 0, 8, 13, 8, 0, -8]), np.array([0, -1, -1, -1, 0, 1, 1, 1])
    smile = np.array([-2, -0.8, 0, -0.8, -2, -0.8, 0, -0.8])
    points[INNER_LIPS] = np.stack([64 + across, LIPS_Y + smile + gap / 2 * up], axis=1)
    return points.astype(np.float32)


def picture(size: tuple[int, int] = (SCALE * SIZE, SCALE * SIZE)) -> NDArray[np.uint8]:
    """A grey picture with a fine pattern, which a crop of 128 pixels cannot show."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).standard_normal(size[::-1]), (0, 0), 1.2)
    levels = np.clip(128 + 60 * noise, 0, 255).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def reference_of(
    image_HWC: NDArray[np.uint8], points_68x2: NDArray[np.float32], back_2x3: NDArray[np.float64] = ENLARGED
) -> Reference:
    """Crop the face with these points, whose pixels ``back_2x3`` takes to those of the picture."""
    crop_HWC = crop_face(image_HWC, invert_similarity(back_2x3).astype(np.float32))
    source_68x2 = apply_similarity(back_2x3, points_68x2).astype(np.float32)
    return Reference(crop_HWC, points_68x2, source_68x2=source_68x2)


def plain(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Paint of one colour, as large as the crop."""
    return np.full((SIZE, SIZE, 3), colour, np.uint8)


def one_frame(
    reference: Reference,
    paint_HWC: NDArray[np.uint8],
    points_68x2: NDArray[np.float32],
    share_HW: NDArray[np.float32] | None = None,
) -> Painted:
    """A chunk of one frame that is paint everywhere. It moves by the share, by default everywhere."""
    paint_THWC = paint_HWC[None]
    everywhere_THW = np.ones(paint_THWC.shape[:3], np.float32)
    moving_THW = None if share_HW is None else share_HW[None]
    return Painted(paint_THWC, everywhere_THW, paint_THWC, points_68x2[None], reference, moving_THW=moving_THW)


@st.composite
def placements(draw: st.DrawFn, size: tuple[int, int]) -> NDArray[np.float64]:
    """Transforms from the crop to a picture of ``size``: turned, tiny or large, and partly or wholly outside it."""
    turn, scale = draw(st.floats(-3, 3)), draw(st.floats(0.05, 4))
    middle = draw(st.floats(-0.5, 1.5)) * size[0], draw(st.floats(-0.5, 1.5)) * size[1]
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.column_stack([linear, np.array(middle) - linear @ np.full(2, SIZE / 2)])
