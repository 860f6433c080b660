"""What a network brings to the training loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from pipeline.config.training import LoopParams

Batch = Any
"""The result of a task's `batch`, which its `step` takes."""


@dataclass(frozen=True)
class Validation:
    """Results of a validation."""

    metrics: dict[str, float]
    pictures: dict[str, NDArray[np.uint8]]


class Task(Protocol):
    """One network's training. If several processes train together, each has a task with its share of every batch."""

    name: str
    criterion: str
    """The metric of the validation that is lowest for the best weights."""
    network: nn.Module
    """The network that is averaged, validated and kept."""
    helpers: dict[str, nn.Module]
    """Networks that are trained along with it, by the names of their files."""
    optimisers: dict[str, Optimizer]
    clips: int
    """Training clips in a pass over the data."""
    seed: int
    data: str
    """Hash of the data."""
    compatibility: Mapping[str, Any]
    """Recorded in the network's file: the landmark model, speech features and crops that it was trained with."""
    init: Mapping[str, str]
    """SHA-256 of the initial weights, by file; empty if the network starts from scratch."""

    @property
    def params(self) -> LoopParams:
        """Parameters of the loop."""

    def batch(self, step: int) -> Batch:
        """This process's share of the batch of step `step`, from 0; called in loader threads."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one step of every optimiser; returns the losses over the share, the network's own total first."""

    def validate(self, network: nn.Module) -> Validation:
        """Metrics and pictures of `network` (in eval mode) on the validation split."""

    def warning(self, losses: dict[str, float]) -> str | None:
        """A warning about the mean losses since the last validation, or None."""
