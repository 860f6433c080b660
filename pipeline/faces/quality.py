"""How good a clip's faces are, in figures that the index keeps and the verdict is made from."""

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.faces.track import Track
from pipeline.landmarks.model import STABLE

QUALITY = [
    pa.field("detected", pa.float64()),  # share of frames in which the face was found
    pa.field("score", pa.float64()),  # the detector's mean score in those
    pa.field("face_size", pa.float64()),  # source pixels behind a side of the crop
    pa.field("jitter", pa.float64()),  # mean step of nose and eye corners from frame to frame, crop pixels
    pa.field("sharpness", pa.float64()),  # median variance of the crop's Laplacian, grey levels squared
    pa.field("inside", pa.float64()),  # share of points that lie within the crop
]


def measure(
    track: Track,
    crop_points_F68x2: NDArray[np.float32],
    transforms_F2x3: NDArray[np.float32],
    crops_FHWC: NDArray[np.uint8],
) -> dict[str, float]:
    """The figures of ``QUALITY`` for one clip; units beside each."""
    size = crops_FHWC.shape[1]
    steps = np.diff(crop_points_F68x2[:, STABLE], axis=0)
    scale = np.hypot(transforms_F2x3[:, 0, 0], transforms_F2x3[:, 1, 0])
    sharpness = [cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var() for crop in crops_FHWC[::5]]
    return {
        "detected": float(track.found_F.mean()),
        "score": float(track.scores_F[track.found_F].mean()),
        "face_size": float(np.median(size / scale)),
        "jitter": float(np.hypot(steps[..., 0], steps[..., 1]).mean()) if len(steps) else 0.0,
        "sharpness": float(np.median(sharpness)),
        "inside": float(((crop_points_F68x2 >= 0) & (crop_points_F68x2 < size)).all(axis=2).mean()),
    }
