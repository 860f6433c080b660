"""Lost faces: where the generated picture shows none that dlib finds."""

import torch
from torch import Tensor
from torchmetrics import Metric

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import found


class LostFaces(Metric):
    """Of the frames in which the real face was found, the share in which the generated one was not."""

    lost: Tensor
    frames: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("lost", "frames"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add frames, (T, 68, 2) in pixels of the 128x128 face."""
        self.lost += (found(target) & ~found(preds)).sum()
        self.frames += found(target).sum()

    def compute(self) -> Tensor:
        """0 to 1."""
        return self.lost / self.frames


register(
    MetricEntry(
        name="lost",
        title="Lost faces",
        unit="share of the frames",
        higher_is_better=False,
        digits=3,
        compares="landmarks",
        make=LostFaces,
        across=True,
        about="How often no face is found where the real frame has one.",
    )
)
