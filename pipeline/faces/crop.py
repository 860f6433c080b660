"""The crop of an aligned face.

Quality and metrics use a crop of 128x128 pixels (`SIZE`), whatever size is stored and trained on (`landmarks.size`). A
larger crop shows the same part of the picture in more pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.arrays import to_grid

SIZE = 128
"""Side in pixels of the crop for quality and metrics."""
_POINT_GRID = 2.0**-10
"""Points are multiples of this part of a pixel: coarser than the bits in which processors differ, and finer than a
tenth of a pixel, the uncertainty of dlib's points."""


@dataclass(frozen=True)
class CropGeometry:
    """How a face lies in its crop, as a bundle records it."""

    size: int
    """Side in pixels."""
    points: tuple[tuple[float, float], ...]
    """Positions x, y in the crop of the points that neither speech nor blinking moves."""


# fmt: off
CROP = CropGeometry(SIZE, (
    (64.0, 38.7), (64.0, 46.0), (64.0, 53.2), (64.0, 60.8), (55.9, 67.2), (59.7, 68.7), (64.0, 70.0), (68.3, 68.7),
    (72.1, 67.2), (39.2, 40.8), (53.5, 41.3), (74.5, 41.3), (88.8, 40.8),
))
# fmt: on
"""The mean of real speakers, made symmetric. The scale leaves room for the eyebrows, and for the chin of a long face
with an open mouth."""


def rescale(values: NDArray[Any], before: int, after: int) -> NDArray[Any]:
    """Convert coordinates in a crop of side ``before`` to a crop of side ``after``.

    Whole numbers are the middles of pixels, so the edges of the crops meet.
    """
    return values if before == after else (values + 0.5) * (after / before) - 0.5


def crop_geometry(size: int) -> CropGeometry:
    """`CROP` at a side of ``size`` pixels."""
    x, y = rescale(np.array(CROP.points), SIZE, size).T.tolist()
    return CropGeometry(size, tuple(zip(x, y, strict=True)))


def onto_crop(transform_T2x3: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Convert transforms (T, 2, 3) to the 128x128 crop into transforms to a crop of side ``size``."""
    linear, shift = transform_T2x3[:, :, :2] * (size / SIZE), rescale(transform_T2x3[:, :, 2:], SIZE, size)
    return np.concatenate([linear, shift], axis=2)


def crop_face(frame_HWC: NDArray[np.uint8], transform_2x3: NDArray[np.float32], size: int = SIZE) -> NDArray[np.uint8]:
    """The RGB crop (size, size, 3) of a frame, anti-aliased when it shrinks.

    ``transform_2x3`` maps source pixels to crop pixels.
    """
    scale = float(np.hypot(transform_2x3[0, 0], transform_2x3[1, 0]))
    transform = transform_2x3.astype(np.float64)
    while scale < 0.5:  # a bilinear warp reads 2x2 pixels, so it must not shrink by more than two
        frame_HWC = np.asarray(cv2.resize(frame_HWC, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        transform = transform @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
        scale *= 2
    crop = cv2.warpAffine(frame_HWC, transform, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def share_outside(transform_2x3: NDArray[np.float32], size: tuple[int, int]) -> float:
    """The share of a crop, 0 to 1, outside its picture of ``size`` (width, height), where the edge is repeated."""
    inside = np.ones((size[1], size[0]), np.uint8)
    return 1.0 - float(cv2.warpAffine(inside, transform_2x3, (SIZE, SIZE), flags=cv2.INTER_NEAREST).mean())


def to_crop(points_T68x2: NDArray[np.floating], transform_T2x3: NDArray[np.floating]) -> NDArray[np.float32]:
    """Points (T, 68, 2) in source pixels to pixels of the crop, rounded to a 1024th."""
    moved = _apply(transform_T2x3.astype(np.float64), points_T68x2)
    return to_grid(moved, _POINT_GRID).astype(np.float32)


def from_crop(points_T68x2: NDArray[np.floating], transform_T2x3: NDArray[np.floating]) -> NDArray[np.float32]:
    """Points (T, 68, 2) in pixels of the crop to source pixels; ``transform_T2x3`` is that of `to_crop`."""
    linear = np.linalg.inv(transform_T2x3[:, :, :2].astype(np.float64))
    shift = -linear @ transform_T2x3[:, :, 2:].astype(np.float64)
    return _apply(np.concatenate([linear, shift], axis=2), points_T68x2).astype(np.float32)


def _apply(transform_T2x3: NDArray[np.float64], points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    turned = np.einsum("tij,tpj->tpi", transform_T2x3[:, :, :2], points_T68x2.astype(np.float64))
    return np.asarray(turned + transform_T2x3[:, None, :, 2])


def encode_jpeg(image_HWC: NDArray[np.uint8], quality: int) -> bytes:
    """An RGB picture as JPEG, with chroma at full resolution to keep the edges of lips."""
    sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    encoded, data = cv2.imencode(".jpg", image_HWC[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling])
    assert encoded
    return bytes(data)


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The RGB picture (H, W, 3) of a JPEG."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    return np.asarray(image, np.uint8)
