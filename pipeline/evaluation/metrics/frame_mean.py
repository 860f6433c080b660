"""The mean over frames, which most metrics are."""

from abc import abstractmethod

import torch
from torch import Tensor
from torchmetrics import Metric


class FrameMean(Metric):
    """The mean of a value per frame; frames without one are left out, and NaN is what no frame at all has."""

    total: Tensor
    frames: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("total", "frames"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    @abstractmethod
    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of each frame (T,), NaN where there is nothing to say."""

    def update(self, preds: Tensor, target: Tensor | None = None) -> None:
        """Add frames."""
        values_T = self.values(preds, target).double()
        self.total += values_T.nansum()
        self.frames += (~values_T.isnan()).sum()

    def compute(self) -> Tensor:
        """In the unit of the values."""
        return self.total / self.frames
