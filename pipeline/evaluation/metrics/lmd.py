"""LMD: how far the mouth of a generated face is from the real one (Chen et al., ECCV 2018, section 4.2)."""

import torch
from torch import Tensor
from torchmetrics import Metric

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.landmarks.points import MOUTH


def landmark_distance(preds_T68x2: Tensor, target_T68x2: Tensor, points: slice = MOUTH) -> Tensor:
    """Per frame the mean distance of the chosen points in pixels, each set's own mean subtracted: (T,) float64.

    LMD_t = 1/P sum_p || (real_tp - mean_p real_tp) - (fake_tp - mean_p fake_tp) ||_2
    """
    fake, real = preds_T68x2[:, points].double(), target_T68x2[:, points].double()
    apart = (real - real.mean(dim=1, keepdim=True)) - (fake - fake.mean(dim=1, keepdim=True))
    distances: Tensor = torch.linalg.vector_norm(apart, dim=2).mean(dim=1)
    return distances


class LandmarkDistance(Metric):
    """The mean of ``landmark_distance`` over the frames in which both faces were found; NaN without any."""

    distance: Tensor
    compared: Tensor

    def __init__(self, points: slice) -> None:
        super().__init__()
        self.points = points
        for name in ("distance", "compared"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add frames, (T, 68, 2) in pixels of the 128x128 face."""
        both = found(preds) & found(target)
        self.distance += landmark_distance(preds[both], target[both], self.points).sum()
        self.compared += both.sum()

    def compute(self) -> Tensor:
        """In pixels of the 128x128 face."""
        return self.distance / self.compared


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
    )
)
