"""Watches the losses of a training: their means for the curves, and the step at which one stops making sense."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.runtime.errors import PipelineError
from pipeline.training import distribution

EXPLODED = 1000.0
"""A loss that is so many times what it was in the first steps has exploded."""


def diverged(step: int, what: str) -> PipelineError:
    """The error of a training that makes no sense any more. Its checkpoints help nobody: other params start afresh."""
    return PipelineError(
        f"Training failed at step {step}: {what}. Lower the learning rate (`lr`), clip the gradient (`grad_clip`), or "
        "set `precision` to float32, and start again: with other params it begins at step 0, and with these it would "
        "fail again."
    )


class LossMonitor:
    """Takes every step's losses as they lie on the device, and reads them now and then, so nothing waits for it."""

    def __init__(self) -> None:
        self.reference: dict[str, float] = {}
        """Means of the losses over the first steps checked."""
        self.latest = math.nan
        """The first-named loss at the last step checked."""
        self._unseen: list[tuple[int, dict[str, Tensor]]] = []
        self._seen: list[dict[str, float]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take the losses of the step that made `step` steps full."""
        self._unseen.append((step, {name: loss.detach() for name, loss in losses.items()}))

    def check(self) -> None:
        """Read what was added, as means over all processes, so that they all find the same.

        PipelineError names the first step with a loss that is not a number or has exploded.
        """
        if not self._unseen:
            return
        names = list(self._unseen[0][1])
        table = torch.stack([torch.stack([losses[name].float() for name in names]) for _, losses in self._unseen])
        rows = distribution.mean(table).tolist()
        for (step, _), row in zip(self._unseen, rows, strict=True):
            for name, value in zip(names, row, strict=True):
                limit = EXPLODED * self.reference.get(name, math.inf)
                if not math.isfinite(value) or abs(value) > limit > 0:
                    raise diverged(step, f"the loss `{name}` is {value:.4g}")
            self._seen.append(dict(zip(names, row, strict=True)))
        if not self.reference:
            self.reference = {name: abs(self._mean(name)) for name in names}
        self.latest = self._seen[-1][names[0]]
        self._unseen = []

    def means(self) -> dict[str, float]:
        """Means of all losses seen since this was last asked."""
        means = {name: self._mean(name) for name in self._seen[0]} if self._seen else {}
        self._seen = []
        return means

    def _mean(self, name: str) -> float:
        return math.fsum(losses[name] for losses in self._seen) / len(self._seen)
