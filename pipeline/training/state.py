"""The state of a training: progress, averaged weights, losses, and the content of a checkpoint."""

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.runtime.errors import PipelineError
from pipeline.training import distribution
from pipeline.training.task import Task


@dataclass
class State:
    """Progress and results of a training, without its networks."""

    step: int = 0
    best: float = math.inf  # the lowest criterion of any validation
    best_step: int = 0
    stale: int = 0  # validations since the best one
    kept: dict[str, Tensor] = field(default_factory=dict)
    """The network's weights at the best validation, or at the last one, depending on `keep`."""
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    reference: dict[str, float] = field(default_factory=dict)  # losses of the first steps, for `LossMonitor`
    warnings: list[str] = field(default_factory=list)  # warnings that were given


class Ema:
    """Exponential moving average, a <- d . a + (1 - d) . w, of weights and normalisation statistics.

    The decay d rises with the steps, (1 + step) / (10 + step), up to `decay`. With a decay of 0 it equals the weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._floats: list[tuple[Tensor, Tensor]] = []
        self._counts: list[tuple[Tensor, Tensor]] = []
        weights = network.state_dict(keep_vars=True)
        for name, average in self.network.state_dict(keep_vars=True).items():
            pairs = self._floats if average.is_floating_point() else self._counts
            pairs.append((average, weights[name]))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Average in the network's weights after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages, weights = zip(*self._floats, strict=True)
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, count in self._counts:
            average.copy_(count)


def snapshot(state: State, task: Task[Any], ema: Ema) -> dict[str, Any]:
    """The content of a checkpoint, for `restore`."""
    return {
        "state": vars(state),
        "network": task.network.state_dict(),
        "ema": ema.network.state_dict(),
        "helpers": {name: helper.state_dict() for name, helper in task.helpers.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in task.optimisers.items()},
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore(saved: dict[str, Any], task: Task[Any], ema: Ema) -> State:
    """Load networks, optimisers and random generators from a `snapshot`; returns its state."""
    task.network.load_state_dict(saved["network"])
    ema.network.load_state_dict(saved["ema"])
    for name, helper in task.helpers.items():
        helper.load_state_dict(saved["helpers"][name])
    for name, optimiser in task.optimisers.items():
        optimiser.load_state_dict(saved["optimisers"][name])
    torch.set_rng_state(saved["random"])
    if saved["cuda_random"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(saved["cuda_random"])
    return State(**saved["state"])


EXPLODED = 1000.0  # a loss that is so many times its value in the first steps has exploded


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
        self.reference: dict[str, float] = {}  # means of the losses over the first steps that were read
        self.latest = math.nan  # the first-named loss at the last step that was read
        self._unread: list[tuple[int, dict[str, Tensor]]] = []
        self._read: list[dict[str, float]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take the losses of the step after which `step` steps are done."""
        self._unread.append((step, {name: loss.detach() for name, loss in losses.items()}))

    def check(self) -> None:
        """Read the new losses, as means over all processes, so that all processes agree.

        Raises PipelineError naming the first step with a loss that is not a number or has exploded.
        """
        table = torch.stack([torch.stack([loss.float() for loss in losses.values()]) for _, losses in self._unread])
        for (step, losses), row in zip(self._unread, distribution.mean(table).tolist(), strict=True):
            self._read.append(dict(zip(losses, row, strict=True)))
            for name, value in self._read[-1].items():
                limit = EXPLODED * self.reference.get(name, math.inf)
                if not math.isfinite(value) or abs(value) > limit > 0:
                    raise diverged(step, f"the loss `{name}` is {value:.4g}")
        if not self.reference:
            self.reference = {name: abs(mean) for name, mean in self._means().items()}
        self.latest = next(iter(self._read[-1].values()))
        self._unread = []

    def means(self) -> dict[str, float]:
        """Means of all losses that were read since the last call."""
        means, self._read = self._means(), []
        return means

    def _means(self) -> dict[str, float]:
        return {name: math.fsum(losses[name] for losses in self._read) / len(self._read) for name in self._read[0]}
