"""Distances of landmarks (Chen et al., ECCV 2018, section 4.2), lost faces and jitter."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from pipeline.faces.quality import measure_jitter
from pipeline.landmarks.points import MOUTH, STABLE
from pipeline.landmarks.shape import eye_distance
from pipeline.metrics.base import METRICS, ClipMetric, FrameMean, MetricEntry

PIXELS = "px of the 128x128 face"
EYES = "% of the distance of the eyes"
ALL_POINTS = slice(None)
_LMD = "Chen et al., ECCV 2018, section 4.2"
_BY_EYES = f"{_LMD}; normalised as in Sagonas et al., ICCV Workshops 2013"


def landmark_distance(preds_T68x2: Tensor, target_T68x2: Tensor, points: slice = MOUTH) -> Tensor:
    """LMD of each frame (T,), float64, in pixels; NaN if a face is missing.

    It is the mean distance of the chosen points, after each set is moved to its own mean:

    LMD_t = 1/P sum_p || (real_tp - mean_p real_tp) - (fake_tp - mean_p fake_tp) ||_2
    """
    fake, real = preds_T68x2[:, points].double(), target_T68x2[:, points].double()
    apart = (real - real.mean(dim=1, keepdim=True)) - (fake - fake.mean(dim=1, keepdim=True))
    distances: Tensor = torch.linalg.vector_norm(apart, dim=2).mean(dim=1)
    return distances


class LandmarkDistance(FrameMean):
    """The mean of ``landmark_distance`` over the frames in which both faces were found.

    With ``by_eyes``, each frame's distance is in percent of the real face's eye distance.
    """

    def __init__(self, points: slice, by_eyes: bool = False) -> None:
        super().__init__()
        self.points, self.by_eyes = points, by_eyes

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of points (T, 68, 2) in pixels of the 128x128 face."""
        assert target is not None
        distance_T = landmark_distance(preds, target, self.points)
        if self.by_eyes:
            eyes_T = torch.from_numpy(eye_distance(target.cpu().numpy()))
            return 100 * distance_T / eyes_T.where(eyes_T > 0, torch.nan)
        return distance_T


class LostFaces(Metric):
    """The share of the frames with a real face in which no generated face was found, 0 to 1."""

    lost: Tensor
    frames: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("lost", "frames"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add points (T, 68, 2)."""
        self.lost += (_has_face(target) & ~_has_face(preds)).sum()
        self.frames += _has_face(target).sum()

    def compute(self) -> Tensor:
        """The share."""
        return self.lost / self.frames


def _has_face(points_T68x2: Tensor) -> Tensor:
    return ~points_T68x2.isnan().any(dim=2).any(dim=1)


def jitter(points_T68x2: NDArray[np.floating]) -> float:
    """``measure_jitter`` of nose and eye corners, which neither speech nor blinking moves, in the unit of the points.

    It is the standard deviation of the noise that would cause their second differences over time, so even motion has
    none. NaN without three successive frames with a face.
    """
    stable_TPx2 = points_T68x2[:, STABLE].astype(np.float64)
    has_face_T = np.isfinite(stable_TPx2).all(axis=(1, 2))
    return measure_jitter(stable_TPx2, np.asarray(has_face_T, np.bool_))


# fmt: off
METRICS.add(
    MetricEntry("lmd", "LMD", partial(LandmarkDistance, MOUTH), unit=PIXELS,
        about="How far the points of the mouth are from the real ones, each mouth laid on its middle.",
        source=_LMD, url="https://arxiv.org/abs/1803.10404"),
    MetricEntry("lmd_eyes", "LMD by the eyes", partial(LandmarkDistance, MOUTH, by_eyes=True), unit=EYES, digits=2,
        about="The same as LMD, relative to the distance of the eyes.",
        source=_BY_EYES),
    MetricEntry("f_lmd", "LMD of the face", partial(LandmarkDistance, ALL_POINTS), unit=PIXELS,
        about="The same as LMD, of all 68 points of the face.",
        source=_LMD),
    MetricEntry("f_lmd_eyes", "LMD of the face by the eyes", partial(LandmarkDistance, ALL_POINTS, by_eyes=True),
        unit=EYES, digits=2,
        about="The same, relative to the distance of the eyes.",
        source=_BY_EYES),
    MetricEntry("lost", "Lost faces", LostFaces, unit="share of the frames", across=True,
        about="How often no face is found where the real frame has one."),
    MetricEntry("jitter", "Jitter", partial(ClipMetric, jitter), "shapes", unit=PIXELS, real=False,
        about="How much nose and eye corners shake from frame to frame."),
)
# fmt: on
