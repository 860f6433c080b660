"""How a decoded picture is meant to be seen: turned, mirrored, with square pixels, and no larger than of use."""

import math
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def _unnamed(cls: type[Type], value: Any) -> Type:
    """A member for side data that libav knows and PyAV has no name for, such as EXIF."""
    member = object.__new__(cls)
    member._name_, member._value_ = f"UNNAMED_{value}", value
    return member


# PyAV gives none of a frame's side data where it has no name for one of them.
Type._missing_ = classmethod(_unnamed)  # type: ignore[assignment, method-assign]

_WIDEST = 4
"""A pixel said to be wider or higher than this is taken for damaged, and for square."""


_ENOUGH = 5_000_000
"""Pixels of a video's picture; of larger ones, such as 4K, a face is cropped as well at half the size, or less."""


def reduced(width: int, height: int) -> tuple[int, int]:
    """The size at which pictures of ``width`` and ``height`` are used: divided by a whole number if they are large."""
    factor = max(1, math.ceil(math.sqrt(width * height / _ENOUGH)))
    return width // factor, height // factor


def pixel_aspect(stream: Any) -> Fraction:
    """A pixel's width by its height, as the stream or its container says; 1 where they say nothing of use."""
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect and Fraction(1, _WIDEST) <= aspect <= _WIDEST else Fraction(1)


def orientation(frame: Any) -> tuple[int, bool]:
    """Quarter turns counter-clockwise, 0 to 3, and whether left and right are swapped after them, by the frame's
    display matrix.
    """
    if Type.DISPLAYMATRIX not in frame.side_data:
        return 0, False
    a, b, _, c, d, *_ = np.frombuffer(frame.side_data[Type.DISPLAYMATRIX], np.int32).astype(np.float64)
    mirrored = bool(a * d < b * c)
    return int(round(-np.arctan2(b, -a if mirrored else a) / (np.pi / 2)) % 4), mirrored


def shown_size(frame: Any) -> tuple[int, int]:
    """Width and height of the picture as shown; with pixels that are not square the shorter side grows."""
    aspect: Fraction = frame.opaque or Fraction(1)
    width, height = reduced(frame.width, frame.height)
    width, height = round(width * max(aspect, Fraction(1))), round(height / min(aspect, Fraction(1)))
    return (height, width) if orientation(frame)[0] % 2 else (width, height)


def upright(picture_HWC: Image, turned: tuple[int, bool], size: tuple[int, int]) -> Image:
    """A decoded frame's pixels as shown, given its ``orientation``, at ``size`` (width, height): its own array, or the
    given one.
    """
    turns, mirrored = turned
    shown = np.rot90(picture_HWC, turns)
    shown = np.ascontiguousarray(shown[:, ::-1] if mirrored else shown)
    if shown.shape[1::-1] != size:
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)
    return shown
