"""A moving average of a network's weights: what is validated and kept."""

from copy import deepcopy

import torch
from torch import Tensor, nn


class Ema:
    """Exponential moving average, a <- d . a + (1 - d) . w, of weights and normalisation statistics.

    The decay d climbs with the steps, (1 + step) / (10 + step), up to `decay`, so that it soon forgets how
    the weights started. A decay of 0 follows the weights themselves.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._floats: list[tuple[Tensor, Tensor]] = []
        self._counts: list[tuple[Tensor, Tensor]] = []
        theirs = network.state_dict(keep_vars=True)
        for name, own in self.network.state_dict(keep_vars=True).items():
            (self._floats if own.is_floating_point() else self._counts).append((own, theirs[name]))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the network's weights after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        own, theirs = zip(*self._floats, strict=True)
        torch._foreach_lerp_(own, theirs, 1 - decay)
        for mine, count in self._counts:
            mine.copy_(count)
