"""Alignment: the similarity transform from source pixels to the crop, for each frame of a clip."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipeline.faces.crop import CROP, CropGeometry
from pipeline.landmarks.points import STABLE
from pipeline.landmarks.similarity import fit_similarity
from pipeline.runtime.clock import FPS


def align(
    points_T68x2: NDArray[np.float32], *, per_frame: bool, smoothing: float = 0.0, crop: CropGeometry = CROP
) -> NDArray[np.float32]:
    """The transforms (T, 2, 3) from source pixels to pixels of ``crop``.

    With ``per_frame``, each frame is aligned alone, as in the paper. Otherwise the clip has one scale, and a Gaussian
    of ``smoothing`` seconds smooths rotation and position, so that blinks and the detector's jitter do not shake it.
    """
    target = np.array(crop.points)
    fitted = np.stack([fit_similarity(points[STABLE], target) for points in points_T68x2])
    if per_frame:
        return fitted.astype(np.float32)
    scale = np.median(np.hypot(fitted[:, 0, 0], fitted[:, 1, 0]))
    angle = _smooth(np.unwrap(np.arctan2(fitted[:, 1, 0], fitted[:, 0, 0])), smoothing * FPS)
    centre = _smooth(points_T68x2[:, STABLE].astype(np.float64).mean(axis=1), smoothing * FPS)
    linear = scale * np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 2, 2)
    shift = target.mean(axis=0) - np.einsum("fij,fj->fi", linear, centre)
    return np.concatenate([linear, shift[:, :, None]], axis=2).astype(np.float32)


def _smooth(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter1d(values, sigma, axis=0, mode="nearest")) if sigma > 0 else values
