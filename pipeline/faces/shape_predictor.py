"""dlib's 68-point predictor for many frames at once, with points to fractions of a pixel.

This reads dlib's model file (Kazemi and Sullivan 2014, "One Millisecond Face Alignment with an Ensemble of Regression
Trees"; trained by Sagonas et al. 2016) and computes the same regression. dlib reads the whole model, 65 MB, for each
face, so memory limits its speed. It also rounds points to whole pixels, which at 128x128 is as far as lips move between
frames. Here each tree is applied to all faces before the next tree, and points are not rounded.
"""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import Box
from pipeline.runtime.arrays import to_machine_code
from pipeline.runtime.errors import PipelineError

Floats = NDArray[np.float32]

_CASCADES, _TREES, _SPLITS, _PIXELS = 15, 500, 15, 500
_BYTES = 99_693_937

# (red + green + blue) // 3, exactly as dlib: one grey level more or less moves a third of its points.
_INTENSITY = np.array([[1 / 3, 1 / 3, 1 / 3, -1 / 3]])


def model_path(name: str) -> Path:
    """The path of a file of the package face_recognition_models."""
    # Importing the package needs pkg_resources, which newer setuptools lacks, so only its folder is looked up.
    spec = importlib.util.find_spec("face_recognition_models")
    assert spec is not None, "face_recognition_models is a declared dependency"
    assert spec.origin is not None
    return Path(spec.origin).parent / "models" / name


def check_model(path: Path, what: str, size: int) -> None:
    """Raise PipelineError unless the file has the ``size`` in bytes of ``what``. Its content is not checked."""
    if path.stat().st_size != size:
        raise PipelineError(
            f"{path} ({path.stat().st_size} bytes) is not {what} of {size} bytes. Install it again: "
            "pip install --force-reinstall --no-deps face_recognition_models"
        )


def shape_predictor_path() -> Path:
    """The path of the 68-point model."""
    return model_path("shape_predictor_68_face_landmarks.dat")


class Model(NamedTuple):
    """C cascades of T trees with S splits and S + 1 leaves, over P pixels of the face."""

    mean: Floats  # (68, 2): the mean face, in shares of the box's sides
    compared: NDArray[np.int16]  # (C, T, S, 2): the two pixels of a split
    threshold: Floats  # (C, T, S) in grey levels
    leaf: Floats  # (C, T, S + 1, 136)
    anchor: NDArray[np.int16]  # (C, P): the point nearest to a pixel
    offset: Floats  # (C, P, 2): from that point to the pixel, on the mean face


def predict_landmarks(frames: Sequence[NDArray[np.uint8]], boxes: Sequence[Box]) -> Floats:
    """The points x, y (N, 68, 2) in pixels of one face in each of N RGB frames (H, W, 3).

    Rounded, they equal dlib's points, except for points halfway between two pixels. Boxes need not be whole pixels.
    """
    model = load_model()
    sides = np.array([[box.left, box.top, box.right, box.bottom] for box in boxes], np.float64).reshape(-1, 4)
    around = [_grey(frame, box) for frame, box in zip(frames, sides, strict=True)]
    shapes = np.tile(model.mean.reshape(-1), (len(frames), 1))
    pixels = np.empty((len(frames), _PIXELS), np.float32)
    for cascade in range(_CASCADES):
        for (grey, corner), box, shape, levels in zip(around, sides, shapes, pixels, strict=True):
            _read_pixels(grey, box - corner, model.mean, shape, model.anchor[cascade], model.offset[cascade], levels)
        _move(shapes, pixels, model.compared[cascade], model.threshold[cascade], model.leaf[cascade])
    corner, size = sides[:, None, :2], sides[:, None, 2:] - sides[:, None, :2]
    return (corner + shapes.reshape(-1, 68, 2) * size).astype(np.float32)


def _grey(frame: NDArray[np.uint8], box: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The grey picture around a box, and the offset (4,) of boxes in it.

    A margin of half the box's side holds all pixels that are read, and is small enough for the processor's cache.
    """
    height, width = frame.shape[:2]
    margin = max(box[2] - box[0], box[3] - box[1], 1.0) / 2
    left, top = (max(0, int(side - margin)) for side in box[:2])
    right, bottom = min(width, int(box[2] + margin)), min(height, int(box[3] + margin))
    if right <= left or bottom <= top:
        left, top, right, bottom = 0, 0, width, height
    grey = np.asarray(cv2.transform(frame[top:bottom, left:right], _INTENSITY), np.uint8)
    return grey, np.array([left, top, left, top], np.float64)


@to_machine_code
def _read_pixels(
    grey: NDArray[np.uint8],
    box: NDArray[np.float64],
    mean: Floats,
    shape: Floats,
    anchor: NDArray[np.int16],
    offset: Floats,
    pixels: Floats,
) -> None:
    """Fill ``pixels`` (P,) with the grey levels at ``anchor`` and ``offset``, turned and scaled with the face.

    Args:
        grey: The grey picture.
        box: The face's box in it (4,).
        mean: The mean face.
        shape: The current points (136,), in shares of the box's sides.
        anchor: The point nearest to each pixel.
        offset: From that point to the pixel, on the mean face.
        pixels: The result; 0 outside the picture.
    """
    height, width = grey.shape
    left, top, right, bottom = box
    a, b = _similarity(mean.reshape(-1), shape)
    for number in range(len(anchor)):
        point = 2 * anchor[number]
        dx, dy = offset[number]
        column = int(np.floor(left + (right - left) * (shape[point] + (a * dx - b * dy)) + 0.5))
        row = int(np.floor(top + (bottom - top) * (shape[point + 1] + (b * dx + a * dy)) + 0.5))
        inside = 0 <= row < height and 0 <= column < width
        pixels[number] = grey[row, column] if inside else 0


@to_machine_code
def _similarity(mean: Floats, shape: Floats) -> tuple[np.float32, np.float32]:
    """The rotation and scale ((a, -b), (b, a)) that best maps ``mean`` to ``shape`` (Umeyama 1991)."""
    centre = np.zeros(4)
    points = len(mean) // 2
    for point in range(points):
        for axis in range(2):
            centre[axis] += mean[2 * point + axis] / points
            centre[2 + axis] += shape[2 * point + axis] / points
    along = across = spread = 0.0
    for point in range(points):
        x, y = mean[2 * point] - centre[0], mean[2 * point + 1] - centre[1]
        u, v = shape[2 * point] - centre[2], shape[2 * point + 1] - centre[3]
        along += x * u + y * v
        across += x * v - y * u
        spread += x * x + y * y
    return np.float32(along / spread), np.float32(across / spread)


@to_machine_code
def _move(shapes: Floats, pixels: Floats, compared: NDArray[np.int16], threshold: Floats, leaf: Floats) -> None:
    """Add each tree's leaf for the ``pixels`` (N, P) to the ``shapes`` (N, 136), for all trees of one cascade."""
    trees, splits = threshold.shape
    for tree in range(trees):
        for face in range(len(shapes)):
            node = 0
            while node < splits:
                first, second = compared[tree, node]
                not_brighter = pixels[face, first] - pixels[face, second] <= threshold[tree, node]
                node = 2 * node + 1 + not_brighter
            for number in range(shapes.shape[1]):
                shapes[face, number] += leaf[tree, node - splits, number]


@lru_cache(maxsize=1)
def load_model() -> Model:
    """Read dlib's file, once per process. Raises PipelineError when it is incomplete."""
    model = Model(
        np.empty((68, 2), np.float32),
        np.empty((_CASCADES, _TREES, _SPLITS, 2), np.int16),
        np.empty((_CASCADES, _TREES, _SPLITS), np.float32),
        np.empty((_CASCADES, _TREES, _SPLITS + 1, 136), np.float32),
        np.empty((_CASCADES, _PIXELS), np.int16),
        np.empty((_CASCADES, _PIXELS, 2), np.float32),
    )
    path = shape_predictor_path()
    check_model(path, "the 68-point model", _BYTES)
    _read(np.memmap(path, np.uint8, "r"), *model)
    return model


@to_machine_code
def _integer(data: NDArray[np.uint8], at: int) -> tuple[np.int64, int]:
    """A number and the next position. The first byte holds the sign and the number of bytes that follow."""
    value, length = np.int64(0), data[at] & 0x0F
    for byte in range(length):
        value |= np.int64(data[at + 1 + byte]) << (8 * byte)
    return -value if data[at] & 0x80 else value, at + 1 + length


@to_machine_code
def _float(data: NDArray[np.uint8], at: int) -> tuple[float, int]:
    """A number stored as two integers, digits and binary exponent, and the next position."""
    digits, at = _integer(data, at)
    exponent, at = _integer(data, at)
    return digits * 2.0**exponent, at


@to_machine_code
def _floats(data: NDArray[np.uint8], at: int, out: Floats) -> int:
    for number in range(len(out)):
        out[number], at = _float(data, at)
    return at


@to_machine_code
def _read(
    data: NDArray[np.uint8],
    mean: Floats,
    compared: NDArray[np.int16],
    threshold: Floats,
    leaf: Floats,
    anchor: NDArray[np.int16],
    offset: Floats,
) -> None:
    """Fill the arrays of a `Model` (its fields are the arguments) from dlib's file, in the file's order."""
    cascades, trees, splits = threshold.shape
    at = _skip(data, 0, 3)  # version, rows and columns of a matrix
    at = _floats(data, at, mean.reshape(-1))
    at = _skip(data, at, 1)  # each list begins with its length
    for cascade in range(cascades):
        at = _skip(data, at, 1)
        for tree in range(trees):
            at = _skip(data, at, 1)
            for split in range(splits):
                for pixel in range(2):
                    compared[cascade, tree, split, pixel], at = _integer(data, at)
                threshold[cascade, tree, split], at = _float(data, at)
            at = _skip(data, at, 1)
            for end in range(splits + 1):
                at = _skip(data, at, 2)
                at = _floats(data, at, leaf[cascade, tree, end])
    at = _skip(data, at, 1)
    for cascade in range(cascades):
        at = _skip(data, at, 1)
        for pixel in range(anchor.shape[1]):
            anchor[cascade, pixel], at = _integer(data, at)
    at = _skip(data, at, 1)
    for cascade in range(cascades):
        at = _skip(data, at, 1)
        at = _floats(data, at, offset[cascade].reshape(-1))


@to_machine_code
def _skip(data: NDArray[np.uint8], at: int, numbers: int) -> int:
    for _ in range(numbers):
        at = _integer(data, at)[1]
    return at
