"""Pictures as they are meant to be shown: upright, with square pixels, and of limited size."""

import math
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

Image = NDArray[np.uint8]

MAX_SIDE = 16_384
"""Pixels of a side. dlib writes past its memory in pictures wider than about 40,000; H.264 and HEVC allow no more."""
_MAX_VIDEO_PIXELS = 5_000_000  # larger frames, such as 4K, are divided: a face is cropped as well from half the size
_MAX_ASPECT = 4  # a pixel that claims to be wider or higher than this is taken for damaged, and for square


def _unnamed(cls: type[Type], value: Any) -> Type:
    """A member for side data that libav knows and PyAV has no name for, such as EXIF."""
    member = object.__new__(cls)
    member._name_, member._value_ = f"UNNAMED_{value}", value
    return member


# Without this, PyAV returns none of a frame's side data when it has no name for one item.
Type._missing_ = classmethod(_unnamed)  # type: ignore[assignment, method-assign]


def reduced(width: int, height: int) -> tuple[int, int]:
    """The size at which a video frame is used: large frames are divided by a whole number."""
    factor = max(1, math.ceil(math.sqrt(width * height / _MAX_VIDEO_PIXELS)))
    return width // factor, height // factor


def pixel_aspect(stream: Any) -> Fraction:
    """A pixel's width divided by its height, from the stream or its container; 1 without a usable value."""
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect and Fraction(1, _MAX_ASPECT) <= aspect <= _MAX_ASPECT else Fraction(1)


def orientation(frame: Any) -> tuple[int, bool]:
    """The frame's display matrix: quarter turns counter-clockwise (0 to 3), then whether left and right are swapped."""
    if Type.DISPLAYMATRIX not in frame.side_data:
        return 0, False
    a, b, _, c, d, *_ = np.frombuffer(frame.side_data[Type.DISPLAYMATRIX], np.int32).astype(np.float64)
    mirrored = bool(a * d < b * c)
    return int(round(-np.arctan2(b, -a if mirrored else a) / (np.pi / 2)) % 4), mirrored


def shown_size(frame: Any) -> tuple[int, int]:
    """Width and height as shown. When pixels are not square, the shorter side grows."""
    aspect: Fraction = frame.opaque or Fraction(1)
    width, height = reduced(frame.width, frame.height)
    width, height = round(width * max(aspect, Fraction(1))), round(height / min(aspect, Fraction(1)))
    return (height, width) if orientation(frame)[0] % 2 else (width, height)


def upright(picture_HWC: Image, turned: tuple[int, bool], size: tuple[int, int]) -> Image:
    """Turn a decoded picture by its ``orientation`` and resize it to ``size`` (width, height).

    Returns ``picture_HWC`` itself when there is nothing to change.
    """
    turns, mirrored = turned
    shown = np.rot90(picture_HWC, turns)
    shown = np.ascontiguousarray(shown[:, ::-1] if mirrored else shown)
    if shown.shape[1::-1] != size:
        shown = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)
    return shown
