"""Means of the training losses, and the detection of a training that diverges."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.runtime.errors import PipelineError
from pipeline.training import distribution

EXPLODED = 1000.0
"""A loss that is so many times its value in the first steps has exploded."""


def diverged(step: int, what: str) -> PipelineError:
    """The error of a training that diverged. Its checkpoints are useless: other params start from scratch."""
    return PipelineError(
        f"Training failed at step {step}: {what}. Lower the learning rate (`lr`), clip the gradient (`grad_clip`), or "
        "set `precision` to float32, and start again: with other params it begins at step 0, and with these it would "
        "fail again."
    )


class LossMonitor:
    """Collects the losses of every step on the device and reads them only now and then, so that no step waits."""

    def __init__(self) -> None:
        self.reference: dict[str, float] = {}
        """Means of the losses over the first steps that were read."""
        self.latest = math.nan
        """The first-named loss at the last step that was read."""
        self._unread: list[tuple[int, dict[str, Tensor]]] = []
        self._read: list[dict[str, float]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take the losses of the step after which `step` steps are done."""
        self._unread.append((step, {name: loss.detach() for name, loss in losses.items()}))

    def check(self) -> None:
        """Read the new losses, as means over all processes, so that all processes agree.

        Raises PipelineError naming the first step with a loss that is not a number or has exploded.
        """
        if not self._unread:
            return
        names = list(self._unread[0][1])
        table = torch.stack([torch.stack([losses[name].float() for name in names]) for _, losses in self._unread])
        rows = distribution.mean(table).tolist()
        for (step, _), row in zip(self._unread, rows, strict=True):
            for name, value in zip(names, row, strict=True):
                limit = EXPLODED * self.reference.get(name, math.inf)
                if not math.isfinite(value) or abs(value) > limit > 0:
                    raise diverged(step, f"the loss `{name}` is {value:.4g}")
            self._read.append(dict(zip(names, row, strict=True)))
        if not self.reference:
            self.reference = {name: abs(self._mean(name)) for name in names}
        self.latest = self._read[-1][names[0]]
        self._unread = []

    def means(self) -> dict[str, float]:
        """Means of all losses that were read since the last call."""
        means = {name: self._mean(name) for name in self._read[0]} if self._read else {}
        self._read = []
        return means

    def _mean(self, name: str) -> float:
        return math.fsum(losses[name] for losses in self._read) / len(self._read)
