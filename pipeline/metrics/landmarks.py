"""Distances of landmarks (Chen et al., ECCV 2018, section 4.2), lost faces and jitter."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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


def distance_by_eyes(preds_T68x2: Tensor, target_T68x2: Tensor, points: slice = MOUTH) -> Tensor:
    """``landmark_distance`` of each frame (T,) in percent of the real face's eye distance."""
    eyes_T = torch.from_numpy(eye_distance(target_T68x2.cpu().numpy()))
    return 100 * landmark_distance(preds_T68x2, target_T68x2, points) / eyes_T.where(eyes_T > 0, torch.nan)


def lost_faces(preds_T68x2: Tensor, target_T68x2: Tensor) -> Tensor:
    """1 for each frame (T,) in which only the real face was found, 0 for both faces, NaN without a real face."""
    fake_T, real_T = (~points.isnan().any(dim=2).any(dim=1) for points in (preds_T68x2, target_T68x2))
    return (~fake_T).double().where(real_T, torch.nan)


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
    MetricEntry("lmd", "LMD", partial(FrameMean, landmark_distance), unit=PIXELS,
        about="How far the points of the mouth are from the real ones, each mouth laid on its middle.",
        source=_LMD, url="https://arxiv.org/abs/1803.10404"),
    MetricEntry("lmd_eyes", "LMD by the eyes", partial(FrameMean, distance_by_eyes), unit=EYES, digits=2,
        about="The same as LMD, relative to the distance of the eyes.",
        source=_BY_EYES),
    MetricEntry("f_lmd", "LMD of the face", partial(FrameMean, partial(landmark_distance, points=ALL_POINTS)),
        unit=PIXELS,
        about="The same as LMD, of all 68 points of the face.",
        source=_LMD),
    MetricEntry("f_lmd_eyes", "LMD of the face by the eyes",
        partial(FrameMean, partial(distance_by_eyes, points=ALL_POINTS)),
        unit=EYES, digits=2,
        about="The same, relative to the distance of the eyes.",
        source=_BY_EYES),
    MetricEntry("lost", "Lost faces", partial(FrameMean, lost_faces), unit="share of the frames", across=True,
        about="How often no face is found where the real frame has one."),
    MetricEntry("jitter", "Jitter", partial(ClipMetric, jitter), "shapes", unit=PIXELS, real=False,
        about="How much nose and eye corners shake from frame to frame."),
)
# fmt: on
