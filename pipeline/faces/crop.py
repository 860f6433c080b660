"""The picture of an aligned face.

Faces are judged and compared in a crop of 128x128 pixels (`SIZE`), whatever the size that is stored and learnt
(`landmarks.size`): a larger crop shows the same part of the picture in more pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.arrays import to_grid

SIZE = 128
"""Side in pixels of the crop that limits and metrics speak of."""


@dataclass(frozen=True)
class CropGeometry:
    """How a face lies in its crop, as a bundle records it."""

    size: int
    """Side in pixels."""
    points: tuple[tuple[float, float], ...]
    """Where the points that neither speech nor blinking moves lie, x and y in pixels of the crop."""


# fmt: off
CROP = CropGeometry(SIZE, (
    (64.0, 38.7), (64.0, 46.0), (64.0, 53.2), (64.0, 60.8), (55.9, 67.2), (59.7, 68.7), (64.0, 70.0), (68.3, 68.7),
    (72.1, 67.2), (39.2, 40.8), (53.5, 41.3), (74.5, 41.3), (88.8, 40.8),
))
# fmt: on
"""Their mean over real speakers, made symmetric, at a scale that leaves room for the eyebrows above and for the chin of
a long face with the mouth open below."""


def rescale(values: NDArray[Any], before: int, after: int) -> NDArray[Any]:
    """Coordinates in pixels of a crop of side ``before`` as those of side ``after``: pixels have their middle at whole
    numbers, so that the crops' edges meet.
    """
    return values if before == after else (values + 0.5) * (after / before) - 0.5


def crop_geometry(size: int) -> CropGeometry:
    """How the same face lies in a crop of ``size`` pixels a side."""
    x, y = rescale(np.array(CROP.points), SIZE, size).T.tolist()
    return CropGeometry(size, tuple(zip(x, y, strict=True)))


def onto_crop(transform_T2x3: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Transforms (T, 2, 3) onto the 128x128 crop as those onto one of ``size`` pixels a side."""
    linear, shift = transform_T2x3[:, :, :2] * (size / SIZE), rescale(transform_T2x3[:, :, 2:], SIZE, size)
    return np.concatenate([linear, shift], axis=2)


def crop_face(frame_HWC: NDArray[np.uint8], transform_2x3: NDArray[np.float32], size: int = SIZE) -> NDArray[np.uint8]:
    """The RGB crop (size, size, 3) of a frame under ``transform_2x3`` (source pixels to crop pixels), anti-aliased when
    it shrinks.
    """
    scale = float(np.hypot(transform_2x3[0, 0], transform_2x3[1, 0]))
    transform = transform_2x3.astype(np.float64)
    while scale < 0.5:  # a bilinear warp reads 2x2 pixels, so it must not shrink by more than two
        halved = cv2.resize(frame_HWC, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        frame_HWC = np.asarray(halved, np.uint8)
        transform = transform @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
        scale *= 2
    crop = cv2.warpAffine(frame_HWC, transform, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def share_outside(transform_2x3: NDArray[np.float32], size: tuple[int, int]) -> float:
    """The share of a crop, 0 to 1, beyond its picture of ``size`` (width, height), where the edge is repeated."""
    inside = np.ones((size[1], size[0]), np.uint8)
    return 1.0 - float(cv2.warpAffine(inside, transform_2x3, (SIZE, SIZE), flags=cv2.INTER_NEAREST).mean())


STEP = 2.0**-10
"""Points are multiples of this part of a pixel: far coarser than the last bits, in which processors differ, and far
finer than the tenth of a pixel by which dlib's points are uncertain."""


def to_crop(points_T68x2: NDArray[np.floating], transform_T2x3: NDArray[np.floating]) -> NDArray[np.float32]:
    """Points (T, 68, 2) in source pixels as pixels of the crop, to a 1024th of one."""
    moved = _apply(transform_T2x3.astype(np.float64), points_T68x2)
    return to_grid(moved, STEP).astype(np.float32)


def from_crop(points_T68x2: NDArray[np.floating], transform_T2x3: NDArray[np.floating]) -> NDArray[np.float32]:
    """Points (T, 68, 2) in pixels of the crop as source pixels; ``transform_T2x3`` is that of ``to_crop``."""
    linear = np.linalg.inv(transform_T2x3[:, :, :2].astype(np.float64))
    shift = -linear @ transform_T2x3[:, :, 2:].astype(np.float64)
    return _apply(np.concatenate([linear, shift], axis=2), points_T68x2).astype(np.float32)


def _apply(transform_T2x3: NDArray[np.float64], points_T68x2: NDArray[np.floating]) -> NDArray[np.float64]:
    turned = np.einsum("tij,tpj->tpi", transform_T2x3[:, :, :2], points_T68x2.astype(np.float64))
    return np.asarray(turned + transform_T2x3[:, None, :, 2])


def encode_jpeg(image_HWC: NDArray[np.uint8], quality: int) -> bytes:
    """JPEG bytes of an RGB picture, chroma at full resolution so that lips keep their edge."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    good, data = cv2.imencode(".jpg", image_HWC[:, :, ::-1], options)
    assert good
    return bytes(data)


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The RGB picture (H, W, 3) of JPEG bytes."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    return np.asarray(image, np.uint8)
