"""dlib's 68-point predictor for many frames at once, with points to fractions of a pixel (docs/architecture.md).

The model file is of Kazemi and Sullivan 2014, "One Millisecond Face Alignment with an Ensemble of Regression Trees",
trained by Sagonas et al. 2016. Each tree is applied to all faces before the next tree, which needs less memory traffic.
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
    assert spec is not None
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
    """The grey picture around a box, with a margin for all pixels that are read, and the offset (4,) of boxes in it."""
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

    ``shape`` has the current points (136,) in shares of the sides of ``box`` (4,). Pixels outside the picture are 0.
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
    path = shape_predictor_path()
    check_model(path, "the 68-point model", _BYTES)
    data = np.memmap(path, np.uint8, "r")
    at = 0

    def read(*counts: int) -> NDArray[np.int64]:
        nonlocal at
        numbers = np.empty(counts, np.int64)
        at = _read_integers(data, at, numbers.reshape(-1))
        return numbers

    def floats(digits_and_exponents: NDArray[np.int64]) -> Floats:
        digits, exponents = np.moveaxis(digits_and_exponents, -1, 0)
        return np.asarray(digits * 2.0**exponents, np.float32)

    read(3)  # version, rows and columns of a matrix
    mean = floats(read(68, 2, 2))
    compared = np.empty((_CASCADES, _TREES, _SPLITS, 2), np.int16)
    threshold = np.empty((_CASCADES, _TREES, _SPLITS), np.float32)
    leaf = np.empty((_CASCADES, _TREES, _SPLITS + 1, 136), np.float32)
    read(1)  # each list begins with its length
    for cascade in range(_CASCADES):
        read(1)
        trees = read(_TREES, 1 + _SPLITS * 4 + 1 + (_SPLITS + 1) * (2 + 136 * 2))
        splits = trees[:, 1 : 1 + _SPLITS * 4].reshape(_TREES, _SPLITS, 4)
        compared[cascade], threshold[cascade] = splits[..., :2], floats(splits[..., 2:])
        leaves = trees[:, 2 + _SPLITS * 4 :].reshape(_TREES, _SPLITS + 1, -1)  # each begins with rows and columns
        leaf[cascade] = floats(leaves[..., 2:].reshape(_TREES, _SPLITS + 1, 136, 2))
    read(1)
    anchor = read(_CASCADES, 1 + _PIXELS)[:, 1:].astype(np.int16)
    read(1)
    offset = floats(read(_CASCADES, 1 + _PIXELS * 4)[:, 1:].reshape(_CASCADES, _PIXELS, 2, 2))
    return Model(mean, compared, threshold, leaf, anchor, offset)


@to_machine_code
def _read_integers(data: NDArray[np.uint8], at: int, numbers: NDArray[np.int64]) -> int:
    """Fill ``numbers``; returns the next position. A number's first byte holds its sign and count of further bytes."""
    for index in range(len(numbers)):
        value, length = np.int64(0), data[at] & 0x0F
        for byte in range(length):
            value |= np.int64(data[at + 1 + byte]) << (8 * byte)
        numbers[index] = -value if data[at] & 0x80 else value
        at += 1 + length
    return at
