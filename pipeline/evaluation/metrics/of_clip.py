"""Metrics of a whole clip: functions of its frames in their order."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class OfClip(Metric):
    """A function of all frames of a clip, which may come in parts, in order; NaN without any."""

    preds: list[Tensor]
    target: list[Tensor]

    def __init__(self, function: Callable[..., float]) -> None:
        """``function`` takes arrays: all ``preds``, and where there are any all ``target``."""
        super().__init__()
        self.function = function
        for name in ("preds", "target"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor | None = None) -> None:
        """Add frames."""
        self.preds.append(preds)
        if target is not None:
            self.target.append(target)

    def compute(self) -> Tensor:
        """What the function says of them."""
        if not self.preds:
            return torch.tensor(torch.nan)
        given = (dim_zero_cat(one).numpy() for one in (self.preds, self.target) if one)
        return torch.tensor(self.function(*given), dtype=torch.float64)


def runs(marked_T: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First frame and the one after the last of every run of marked frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked_T, [False]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
