"""Pixels of a picture and of the crop that was taken from it."""

from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.uint8, np.float32)

FINE = 4
"""Pixels per pixel of a mask along each axis while it is drawn."""


class Window(NamedTuple):
    """A rectangle of a picture's pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    @property
    def part(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, other: "Window") -> "Window | None":
        """Return the pixels that both have; None without any."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Window(left, top, right, bottom) if left < right and top < bottom else None

    def counted_from(self, other: "Window") -> "Window":
        """Return the same pixels, counted from the corner of another rectangle."""
        left, top = other.left, other.top
        return Window(self.left - left, self.top - top, self.right - left, self.bottom - top)

    def seen_from(self, onto_2x3: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``onto_2x3``, which takes the picture's pixels, for pixels counted from this rectangle's corner."""
        return np.column_stack([onto_2x3[:, :2], onto_2x3[:, 2] + onto_2x3[:, :2] @ (self.left, self.top)])


class Places(NamedTuple):
    """A place in a picture for each pixel of another one."""

    x_HW: NDArray[np.float32]
    y_HW: NDArray[np.float32]

    @classmethod
    def of(cls, window: Window) -> "Places":
        """Return the places of a rectangle's own pixels."""
        x, y = np.arange(window.left, window.right), np.arange(window.top, window.bottom)
        return cls(*np.meshgrid(x.astype(np.float32), y.astype(np.float32)))


def reach(back_2x3: NDArray[np.float64], box: tuple[float, float, float, float], size: tuple[int, int]) -> Window:
    """Transform a box, and return the rectangle of the pixels it reaches within ``size``: at least one pixel."""
    x, y = np.meshgrid(box[::2], box[1::2])
    corners = np.stack([x.ravel(), y.ravel()], axis=1) @ back_2x3[:, :2].T + back_2x3[:, 2]
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, np.array(size) - 1).tolist()
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, (left + 1, top + 1), size).tolist()
    return Window(left, top, right, bottom)


def warped(
    image: NDArray[Number],
    onto_2x3: NDArray[np.float64],
    size: tuple[int, int],
    how: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_CONSTANT,
) -> NDArray[Number]:
    """Warp an image (H, W) or (H, W, C) to ``size``, its width and height.

    ``onto_2x3`` takes each pixel of the result to a place in ``image``. Places outside are 0 by default.
    """
    picture = cv2.warpAffine(image, onto_2x3, size, flags=how | cv2.WARP_INVERSE_MAP, borderMode=border)
    return np.asarray(picture, image.dtype)


def sampled(image: NDArray[Number], places: Places, how: int = cv2.INTER_LINEAR) -> NDArray[Number]:
    """Return the image (H, W) or (H, W, C) at these places, by default by linear interpolation."""
    return np.asarray(cv2.remap(image, places.x_HW, places.y_HW, how, borderMode=cv2.BORDER_REPLICATE), image.dtype)


def blended(
    paint_HWC: NDArray[np.uint8], picture_HWC: NDArray[np.uint8], share_HW: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Mix paint and picture (H, W, 3): the paint where the share (H, W) is 1, the picture where it is 0."""
    share_HW = np.ascontiguousarray(share_HW)
    # blendLinear divides by the sum of both weights, which is 1 here.
    picture = cv2.blendLinear(
        np.ascontiguousarray(paint_HWC), np.ascontiguousarray(picture_HWC), share_HW, 1 - share_HW
    )
    return np.asarray(picture, np.uint8)


def filled(outline_N2: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a mask (height, width) of what is inside an outline, 0 to 1. It moves as smoothly as the outline."""
    width, height = size
    canvas_HW = np.zeros((FINE * height, FINE * width), np.uint8)
    fine_N2 = (outline_N2 + 0.5) * FINE - 0.5
    cv2.fillPoly(canvas_HW, [np.round(fine_N2 * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)  # 4 fractional bits
    return cv2.resize(canvas_HW, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
