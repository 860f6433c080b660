"""Quality metrics of a clip's face. `pipeline.prepare.quality.limits` has their limits.

They do not depend on the size or brightness of the picture, nor on `landmarks.size`: lengths are in pixels of the
128x128 crop, in which all faces have the same size, and grey levels are relative to those of the same face.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.identity import find_cuts, measure_identity, signatures
from pipeline.faces.lips import measure_movement, measure_sync
from pipeline.faces.track import Track
from pipeline.landmarks.points import MOUTH, STABLE
from pipeline.landmarks.shape import frontality
from pipeline.runtime.arrays import to_grid

FACE = (slice(32, 112), slice(28, 100))
"""Rows and columns of the crop from the eyes to the chin and from cheek to cheek, without background."""
GREY_STEP = 5  # metrics of grey levels use every fifth frame
BORDER_MARGIN = 9.0
"""Crop pixels between a visible mouth and the picture's border. When the border cuts a mouth, dlib places most of its
points 0 to 8 pixels inside the picture. The chin ends about 25 pixels below the mouth."""
MIN_CONTRAST = 0.25
"""Standard deviation of a visible mouth's grey levels, relative to the face's. Real mouths have 0.38 and more, bars
painted over them near 0."""
_GRID = 2.0**-20  # metrics are multiples of it, so they are the same on every processor; limits are coarser
_DESCRIPTOR_GRID = 2.0**-7  # for the result of dlib's network, which computes in single precision


def measure_quality(
    track: Track,
    points_T68x2: NDArray[np.float32],
    transforms_T2x3: NDArray[np.float32],
    crops_THWC: NDArray[np.uint8],
    picture: tuple[int, int],
    samples_N: NDArray[np.int16],
) -> dict[str, float]:
    """The quality metrics of a clip with a face in at least one frame.

    - ``detected``: share of frames in which the face was found.
    - ``score``: the detector's mean score in these frames, above 0 and rarely above 3.
    - ``face_size``: source pixels of a side of the crop, median. A larger crop is an enlargement.
    - ``jitter``: `measure_jitter` in crop pixels.
    - ``sharpness``: variance of the Laplacian over the variance of the face's grey levels, median. A blur of 1.5 crop
      pixels brings any face under 0.025.
    - ``mouth``: share of frames in which the mouth is visible: the face was found, the 20 mouth points lie in the crop
      and at least `BORDER_MARGIN` inside the picture, and they have `MIN_CONTRAST`. Covers with edges of their own,
      such as a hand, are not recognised.
    - ``frontal``: `pipeline.landmarks.shape.frontality`, 0 to 1.
    - ``cuts``: number of shots that begin within the clip (`find_cuts`).
    - ``identity``: distance of face descriptors, 0 to about 1.2 (`measure_identity`).
    - ``movement``: `measure_movement` in crop pixels.
    - ``sync``: `measure_sync`, -1 to 1.

    Args:
        track: The face in source pixels.
        points_T68x2: Points in pixels of the crop.
        transforms_T2x3: Transforms from source pixels to the crop.
        crops_THWC: RGB crops (T, 128, 128, 3).
        picture: Height and width of the source.
        samples_N: The clip's mono sound at 16 kHz.
    """
    scale_T = np.hypot(transforms_T2x3[:, 0, 0], transforms_T2x3[:, 1, 0], dtype=np.float64)
    found_T, signatures_TS = track.found_T, signatures(crops_THWC)
    sharpness, contrast = _grey_metrics(points_T68x2[::GREY_STEP], crops_THWC[::GREY_STEP])
    shows_T = np.repeat(contrast >= MIN_CONTRAST, GREY_STEP)[: len(found_T)]
    shows_T &= _within(track.points_T68x2[:, MOUTH], picture, BORDER_MARGIN / scale_T)
    shows_T &= _within(points_T68x2[:, MOUTH], crops_THWC.shape[1:3], np.zeros_like(scale_T))
    identity = measure_identity(crops_THWC, points_T68x2, signatures_TS, found_T)
    metrics = {
        "detected": float(found_T.mean()),
        "score": float(track.scores_T[found_T].mean()),
        "face_size": float(np.median(crops_THWC.shape[1] / scale_T)),
        "jitter": measure_jitter(track.points_T68x2[:, STABLE] * np.median(scale_T), found_T),
        "sharpness": float(np.median(sharpness)),
        "mouth": float((found_T & shows_T).mean()),
        "frontal": frontality(points_T68x2[found_T]),
        "cuts": float(len(find_cuts(signatures_TS, track.points_T68x2[:, STABLE], found_T))),
        "identity": float(to_grid(identity, _DESCRIPTOR_GRID)),
        "movement": measure_movement(points_T68x2, found_T & shows_T),
        "sync": measure_sync(points_T68x2, found_T, samples_N),
    }
    return {name: float(to_grid(value, _GRID)) for name, value in metrics.items()}


def measure_jitter(points_TPx2: NDArray[np.floating], found_T: NDArray[np.bool_]) -> float:
    """Standard deviation of the noise on each coordinate, in the points' unit, estimated from second differences.

    Second differences, x(t - 1) - 2 x(t) + x(t + 1), remove even motion. For independent noise of standard deviation s
    their mean length is s * sqrt(6) * sqrt(pi / 2). Only frames count in which the face was found, also in the frames
    before and after. NaN without such frames.
    """
    steady = found_T[2:] & found_T[1:-1] & found_T[:-2]
    if not steady.any():
        return float("nan")
    second = np.diff(points_TPx2, n=2, axis=0)[steady]
    return float(np.hypot(second[..., 0], second[..., 1]).mean() / np.sqrt(3 * np.pi))


def _within(
    points_TPx2: NDArray[np.floating], size: tuple[int, int], margin_T: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Frames whose points all lie in a picture of (height, width), ``margin_T`` away from its border."""
    margin_T1, last = margin_T[:, None], np.array(size)[::-1] - 1
    low, high = points_TPx2.min(axis=1), points_TPx2.max(axis=1)
    return np.asarray(((low >= margin_T1) & (high <= last - margin_T1)).all(axis=1))


def _grey_metrics(
    points_T68x2: NDArray[np.floating], crops_THWC: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each frame the face's sharpness, and the deviation of the mouth's grey levels relative to the face's."""
    sharpness, contrast = np.zeros(len(crops_THWC)), np.zeros(len(crops_THWC))
    for number, (points, crop) in enumerate(zip(points_T68x2, crops_THWC, strict=True)):
        grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
        face = max(_deviation(grey[FACE]), 1e-6)
        sharpness[number] = (_deviation(np.asarray(cv2.Laplacian(grey, cv2.CV_16S)[FACE], np.int16)) / face) ** 2
        left, top = np.clip(np.floor(points[MOUTH].min(axis=0)), 0, None).astype(int)
        right, bottom = np.clip(np.ceil(points[MOUTH].max(axis=0)), 0, None).astype(int)
        mouth = grey[top : bottom + 1, left : right + 1]
        contrast[number] = _deviation(mouth) / face if mouth.size else 0.0
    return sharpness, contrast


def _deviation(values: NDArray[np.integer]) -> float:
    return float(cv2.meanStdDev(values)[1][0, 0])
