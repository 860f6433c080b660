"""Distances of SyncNet's features, from which LSE-C, LSE-D and its offset come."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torchmetrics import Metric

from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.evaluation.weights import weights_path

WEIGHTS = "syncnet"
"""In `pipeline.evaluation.weights`."""
SOURCE = "Chung and Zisserman, ACCV Workshops 2016; Prajwal et al., ACM Multimedia 2020"
SHIFTS = 15
"""Frames by which the sound is shifted to either side."""
_EPSILON = 1e-6  # what torch.nn.functional.pairwise_distance adds to every difference


def mean_distances(seen_WD: NDArray[np.floating], heard_WD: NDArray[np.floating]) -> NDArray[np.float64]:
    """The mean distance (31,) of each feature of the pictures from that of the sound s frames later, s = -15 to 15.

    d_s = 1/W sum_w || seen_w - heard_(w+s) + 1e-6 ||_2, with features of zeros beyond the sound's ends. NaN for W = 0.
    """
    windows, shifts = len(seen_WD), range(2 * SHIFTS + 1)
    if not windows:
        return np.full(len(shifts), np.nan)
    seen, padded = seen_WD.astype(np.float64), np.pad(heard_WD.astype(np.float64), ((SHIFTS, SHIFTS), (0, 0)))
    return np.array([np.linalg.norm(seen - padded[s : s + windows] + _EPSILON, axis=1).mean() for s in shifts])


def lse_d(seen_WD: NDArray[np.floating], heard_WD: NDArray[np.floating]) -> float:
    """LSE-D: the smallest of `mean_distances`."""
    return float(mean_distances(seen_WD, heard_WD).min())


def lse_c(seen_WD: NDArray[np.floating], heard_WD: NDArray[np.floating]) -> float:
    """LSE-C, SyncNet's confidence: the median of `mean_distances` minus the smallest."""
    distances = mean_distances(seen_WD, heard_WD)
    return float(np.median(distances) - distances.min())


def syncnet_offset(seen_WD: NDArray[np.floating], heard_WD: NDArray[np.floating]) -> float:
    """Frames by which the pictures come after the sound: minus the shift with the smallest of `mean_distances`."""
    distances = mean_distances(seen_WD, heard_WD)
    return float("nan") if np.isnan(distances).all() else float(SHIFTS - distances.argmin())


def of_syncnet(function: Callable[..., float]) -> Callable[[], Metric]:
    """What makes a metric of one of the above; PipelineError where the user's weights are missing."""

    def make() -> Metric:
        weights_path(WEIGHTS)
        return OfClip(function)

    return make
