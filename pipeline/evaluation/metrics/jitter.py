"""Jitter: how much the nose and the corners of the eyes shake from frame to frame."""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import found
from pipeline.faces.measure import measure_jitter
from pipeline.landmarks.points import STABLE


class Jitter(Metric):
    """``pipeline.faces.measure.measure_jitter`` of the points that neither speech nor blinking moves: their second
    differences over time as the standard deviation of noise that would give them. Even motion has none.
    """

    points: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("points", [], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor | None = None) -> None:
        """Add frames, (T, 68, 2) in pixels of the 128x128 face, in the order of time."""
        self.points.append(preds)

    def compute(self) -> Tensor:
        """In pixels of the 128x128 face; NaN where no three successive frames have a face."""
        points_T68x2 = dim_zero_cat(self.points)
        stable_TPx2 = points_T68x2[:, STABLE].double().cpu().numpy()
        return torch.tensor(measure_jitter(stable_TPx2, found(points_T68x2).cpu().numpy()))


register(
    MetricEntry(
        name="jitter",
        title="Jitter",
        unit="px of the 128x128 face",
        higher_is_better=False,
        digits=3,
        compares="landmarks",
        make=Jitter,
        real=False,
    )
)
