"""How good a face is, per clip, in metrics that its row keeps. The limits are in pipeline.prepare.quality.thresholds.

None of them depends on the size or brightness of the picture, nor on `landmarks.size`: lengths are in pixels of the
128x128 crop, where every face has the same size, and grey levels are compared with those of the same face.
"""

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.faces.frontal import measure_frontal
from pipeline.faces.identity import find_cuts, measure_identity, signatures
from pipeline.faces.lips import measure_movement, measure_sync
from pipeline.faces.track import Track
from pipeline.landmarks.points import MOUTH, STABLE
from pipeline.runtime.arrays import to_grid

QUALITY = [
    pa.field("detected", pa.float64()),  # share of frames, 0 to 1
    pa.field("score", pa.float64()),  # dlib's, from 0, seldom above 3
    pa.field("face_size", pa.float64()),  # source pixels
    pa.field("jitter", pa.float64()),  # crop pixels
    pa.field("sharpness", pa.float64()),  # from 0, no unit
    pa.field("mouth", pa.float64()),  # share of frames, 0 to 1
    pa.field("frontal", pa.float64()),  # 0 to 1
    pa.field("cuts", pa.float64()),  # how many
    pa.field("identity", pa.float64()),  # distance of face descriptors, 0 to about 1.2
    pa.field("movement", pa.float64()),  # crop pixels
    pa.field("sync", pa.float64()),  # correlation, -1 to 1
]

FACE = (slice(32, 112), slice(28, 100))
"""Rows and columns of the crop from the eyes to the chin and from cheek to cheek: the face without what is behind."""
EVERY = 5
"""Metrics of grey levels take every fifth frame."""
MARGIN = 9.0
"""Crop pixels by which a mouth must stay away from the picture's border: dlib squeezes the points of a mouth that the
border cuts into what there is, so that most stop 0 to 8 pixels before it. The chin ends some 25 below the mouth."""
FLAT = 0.25
"""Standard deviation of a mouth's grey levels, relative to the face's, below which nothing of it shows. Real mouths lie
above 0.38; bars painted over them near 0."""

STEP = 2.0**-20
"""Metrics are multiples of it, about a millionth, and so the same on every processor; no limit is set as finely."""
COARSE = 2.0**-7
"""The same for what a network of dlib's computes in single precision."""


def no_face() -> dict[str, float]:
    """The metrics of a clip in which no face was found: what cannot be measured is NaN."""
    return {column.name: 0.0 if column.name in ("detected", "mouth") else float("nan") for column in QUALITY}


def measure(
    track: Track,
    points_T68x2: NDArray[np.float32],
    transforms_T2x3: NDArray[np.float32],
    crops_THWC: NDArray[np.uint8],
    picture: tuple[int, int],
    samples_N: NDArray[np.int16],
) -> dict[str, float]:
    """The metrics of ``QUALITY`` for one clip with a face in at least one frame.

    ``points_T68x2`` are the points in pixels of the crop, ``transforms_T2x3`` take source pixels there, ``crops_THWC``
    are the RGB crops (T, 128, 128, 3), ``picture`` is the source's (height, width), ``samples_N`` the clip's sound,
    16 kHz mono.

    - ``detected``: share of frames in which the face was found.
    - ``score``: the detector's mean score in those.
    - ``face_size``: source pixels behind a side of the crop, the clip's median; a larger crop is an enlargement.
    - ``jitter``: see ``measure_jitter``.
    - ``sharpness``: variance of the Laplacian over the variance of the grey levels, both within ``FACE``; the clip's
      median. Blur of 1.5 crop pixels brings any face under 0.025.
    - ``mouth``: share of frames in which the mouth shows: the face was found, the 20 mouth points lie in the crop and
      at least ``MARGIN`` within the picture, and they are no ``FLAT`` area. What covers a mouth and has edges of its
      own, such as a hand, is not recognised.
    - ``frontal``: see ``measure_frontal``.
    - ``cuts``, ``identity``: how many shots begin within the clip, and how unlike its faces are (`find_cuts` and
      `measure_identity` of pipeline.faces.identity).
    - ``movement``, ``sync``: whether the mouth speaks, and what is heard (pipeline.faces.lips).
    """
    scale_T = np.hypot(transforms_T2x3[:, 0, 0], transforms_T2x3[:, 1, 0], dtype=np.float64)
    found_T = track.found_T
    sharpness, contrast = _grey_metrics(points_T68x2[::EVERY], crops_THWC[::EVERY])
    shows_T = np.repeat(contrast >= FLAT, EVERY)[: len(found_T)]
    mouth_T20x2 = track.points_T68x2[:, MOUTH]
    shows_T &= _within(mouth_T20x2, picture, MARGIN / scale_T) & _within(points_T68x2[:, MOUTH], crops_THWC.shape[1:3])
    stable_TPx2 = track.points_T68x2[:, STABLE] * np.median(scale_T)
    seen_TS = signatures(crops_THWC)
    metrics = {
        "detected": float(found_T.mean()),
        "score": float(track.scores_T[found_T].mean()),
        "face_size": float(np.median(crops_THWC.shape[1] / scale_T)),
        "jitter": measure_jitter(stable_TPx2, found_T),
        "sharpness": float(np.median(sharpness)),
        "mouth": float((found_T & shows_T).mean()),
        "frontal": measure_frontal(points_T68x2[found_T]),
        "cuts": float(len(find_cuts(seen_TS, track.points_T68x2[:, STABLE], found_T))),
        "identity": float(to_grid(measure_identity(crops_THWC, points_T68x2, seen_TS, found_T), COARSE)),
        "movement": measure_movement(points_T68x2, found_T & shows_T),
        "sync": measure_sync(points_T68x2, found_T, samples_N),
    }
    return {name: float(to_grid(value, STEP)) for name, value in metrics.items()}


def measure_jitter(points_TPx2: NDArray[np.floating], found_T: NDArray[np.bool_]) -> float:
    """Standard deviation of the noise on each coordinate, in the unit of the points, estimated from second differences.

    Second differences, x(t - 1) - 2 x(t) + x(t + 1), take even motion out. Independent noise of standard deviation s on
    each coordinate gives them a mean length of s * sqrt(6) * sqrt(pi / 2), by which they are divided. Only frames in
    which, and beside which, the face was found count; NaN without any.
    """
    steady = found_T[2:] & found_T[1:-1] & found_T[:-2]
    if not steady.any():
        return float("nan")
    second = np.diff(points_TPx2, n=2, axis=0)[steady]
    return float(np.hypot(second[..., 0], second[..., 1]).mean() / np.sqrt(3 * np.pi))


def _within(
    points_TPx2: NDArray[np.floating], size: tuple[int, int], margin_T: NDArray[np.floating] | float = 0.0
) -> NDArray[np.bool_]:
    """Frames whose points all lie in a picture of (height, width), ``margin_T`` away from its border."""
    low, high = points_TPx2.min(axis=1), points_TPx2.max(axis=1)
    height, width = size
    margin_T = np.broadcast_to(margin_T, len(low))
    return np.asarray(
        (low >= margin_T[:, None]).all(axis=1)
        & (high[:, 0] <= width - 1 - margin_T)
        & (high[:, 1] <= height - 1 - margin_T)
    )


def _grey_metrics(
    points_T68x2: NDArray[np.floating], crops_THWC: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each frame: the face's sharpness, and the deviation of the mouth's grey levels relative to the face's."""
    sharpness, contrast = np.zeros(len(crops_THWC)), np.zeros(len(crops_THWC))
    for number, (points, crop) in enumerate(zip(points_T68x2, crops_THWC, strict=True)):
        grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
        spread = max(_deviation(grey[FACE]), 1e-6)
        sharpness[number] = measure_sharpness(grey)
        left, top = np.clip(np.floor(points[MOUTH].min(axis=0)), 0, None).astype(int)
        right, bottom = np.clip(np.ceil(points[MOUTH].max(axis=0)), 0, None).astype(int)
        mouth = grey[top : bottom + 1, left : right + 1]
        contrast[number] = _deviation(mouth) / spread if mouth.size else 0.0
    return sharpness, contrast


def measure_sharpness(grey_HW: NDArray[np.uint8]) -> float:
    """Of a crop's face: variance of the Laplacian over the variance of the grey levels."""
    spread = max(_deviation(grey_HW[FACE]), 1e-6)
    return (_deviation(np.asarray(cv2.Laplacian(grey_HW, cv2.CV_16S)[FACE], np.int16)) / spread) ** 2


def _deviation(values: NDArray[np.integer]) -> float:
    return float(cv2.meanStdDev(values)[1][0, 0])
