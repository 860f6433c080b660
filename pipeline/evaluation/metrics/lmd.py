"""LMD: how far the mouth of a generated face is from the real one (Chen et al., ECCV 2018, section 4.2)."""

import torch
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.landmarks.mouth import eye_distance
from pipeline.landmarks.points import MOUTH

SOURCE = "Chen et al., ECCV 2018, section 4.2"


def landmark_distance(preds_T68x2: Tensor, target_T68x2: Tensor, points: slice = MOUTH) -> Tensor:
    """Per frame the mean distance of the chosen points in pixels, each set's own mean subtracted: (T,) float64, NaN
    where a face is missing.

    LMD_t = 1/P sum_p || (real_tp - mean_p real_tp) - (fake_tp - mean_p fake_tp) ||_2
    """
    fake, real = preds_T68x2[:, points].double(), target_T68x2[:, points].double()
    apart = (real - real.mean(dim=1, keepdim=True)) - (fake - fake.mean(dim=1, keepdim=True))
    distances: Tensor = torch.linalg.vector_norm(apart, dim=2).mean(dim=1)
    return distances


class LandmarkDistance(FrameMean):
    """The mean of ``landmark_distance`` over the frames in which both faces were found; NaN without any.

    ``by_eyes``: each frame's in percent of the distance of the real face's eyes, and so of no unit of length.
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


def found(points_T68x2: Tensor) -> Tensor:
    """Which frames have a face (T,)."""
    return ~points_T68x2.isnan().any(dim=2).any(dim=1)


register(
    MetricEntry(
        name="lmd",
        title="LMD",
        unit="px of the 128x128 face",
        higher_is_better=False,
        digits=3,
        compares="landmarks",
        make=lambda: LandmarkDistance(MOUTH),
        source=SOURCE,
        about="How far the points of the mouth are from the real ones, each mouth laid on its middle.",
        url="https://arxiv.org/abs/1803.10404",
    )
)
