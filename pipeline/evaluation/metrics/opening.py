"""How far the mouth opens when the real one does: the correlation of their openings over time."""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import found

UPPER, LOWER = [61, 62, 63], [67, 66, 65]
"""The inner lips at and beside the middle: each upper point with the lower one that faces it."""
LEAST = 3
"""Frames with both faces below which nothing is said: any two openings correlate."""


def mouth_opening(points_T68x2: Tensor) -> Tensor:
    """How far a mouth is open, in the unit of the points: (T,) float64, NaN without a face.

    opening_t = 1/3 sum_p || upper_tp - lower_tp ||_2
    """
    gaps = points_T68x2[:, UPPER].double() - points_T68x2[:, LOWER].double()
    openings: Tensor = torch.linalg.vector_norm(gaps, dim=2).mean(dim=1)
    return openings


class Openings(Metric):
    """The openings of both mouths in the frames in which both faces were found."""

    fake: list[Tensor]
    real: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for name in ("fake", "real"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add frames, (T, 68, 2) in pixels of the 128x128 face."""
        both = found(preds) & found(target)
        self.fake.append(mouth_opening(preds[both]))
        self.real.append(mouth_opening(target[both]))

    def compute(self) -> Tensor:
        """What `compare` says of them; NaN for fewer than `LEAST` frames, or where the real mouth does not move."""
        fake_T, real_T = dim_zero_cat(self.fake), dim_zero_cat(self.real)
        if len(real_T) < LEAST or _constant(real_T):
            return torch.tensor(torch.nan)
        return self.compare(fake_T, real_T)

    def compare(self, fake_T: Tensor, real_T: Tensor) -> Tensor:
        """Of openings in pixels, a scalar."""
        raise NotImplementedError


class OpeningCorrelation(Openings):
    """Pearson's correlation: sum (f - mean f)(r - mean r) / sqrt(sum (f - mean f)^2 sum (r - mean r)^2)."""

    def compare(self, fake_T: Tensor, real_T: Tensor) -> Tensor:
        """-1 to 1; NaN where the generated mouth does not move."""
        if _constant(fake_T):
            return torch.tensor(torch.nan)
        return torch.corrcoef(torch.stack([fake_T, real_T]))[0, 1]


def _constant(values_T: Tensor) -> bool:
    return bool(values_T.max() == values_T.min())


register(
    MetricEntry(
        name="opening",
        title="Correlation of the mouth opening",
        unit="",
        higher_is_better=True,
        digits=3,
        compares="landmarks",
        make=OpeningCorrelation,
    )
)
