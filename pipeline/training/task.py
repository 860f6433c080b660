"""What a network brings to the training loop."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam

from pipeline.config.training import LoopParams
from pipeline.runtime.devices import best_device, compiled, to_device
from pipeline.training import distribution
from pipeline.training.data import StoreSource, Window, long_enough, training_windows
from pipeline.training.start_from_bundle import Start

P = TypeVar("P", bound=LoopParams)
Batch = Any  # the result of a task's `batch`, which its `step` takes


class Validation(NamedTuple):
    """Results of a validation."""

    metrics: dict[str, float]
    pictures: dict[str, NDArray[np.uint8]]


class Task(ABC, Generic[P]):
    """One network's training. If several processes train together, each has a task with its share of every batch.

    `params` is the network's section of params.yaml, and `seed` that of the initial weights and of all draws.
    `compatibility` is recorded in the network's file: the landmark model, speech features and crops of the data.
    """

    name: str
    criterion: str  # the metric of the validation that is lowest for the best weights
    network: nn.Module  # the network that is averaged, validated and kept

    def __init__(
        self,
        source_train: StoreSource,
        source_val: StoreSource,
        params: P,
        seed: int,
        compatibility: Mapping[str, Any] = MappingProxyType({}),
        start: Start | None = None,
    ) -> None:
        self.source_train, self.source_val, self.params, self.seed = source_train, source_val, params, seed
        self.compatibility, self.data = compatibility, source_train.digest + source_val.digest
        self.init = start.digests if start else {}
        self.clips = len(long_enough(source_train.lengths, params.frames))
        self.helpers: dict[str, nn.Module] = {}  # networks that are trained along with it, by the names of their files
        self.optimisers: dict[str, Adam] = {}
        self.device = best_device()
        torch.manual_seed(seed)
        self.build(start)

    @abstractmethod
    def build(self, start: Start | None) -> None:
        """Make the networks and their optimisers."""

    def trainable(self, network: nn.Module, name: str, lr: float, *, unused: bool = False) -> nn.Module:
        """Move `network` to the device, with an optimiser `name`; returns the module to call in training."""
        to_device(network, self.device)
        forward = distribution.parallel(network, unused=unused)
        self.optimisers[name] = Adam(network.parameters(), lr, betas=(0.5, 0.999), fused=True)
        return compiled(forward) if self.params.compile and name == "network" else forward

    def windows(self, step: int) -> list[tuple[int, Window]]:
        """This process's share of the windows of step `step`, from 0, with their positions in the training."""
        source, params = self.source_train, self.params
        drawn = training_windows(source.lengths, params.frames, params.batch, self.seed, step, source.weights)
        return list(distribution.own_share(list(enumerate(drawn, step * params.batch))))

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """This process's share of the batch of step `step`, from 0; called in loader threads."""

    @abstractmethod
    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one step of every optimiser; returns the losses over the share, the network's own total first."""

    def descend(self, name: str, loss: Tensor) -> None:
        """Make a step of the optimiser `name`."""
        optimiser = self.optimisers[name]
        optimiser.zero_grad()
        loss.backward()
        if self.params.grad_clip > 0:
            nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], self.params.grad_clip)
        optimiser.step()

    @abstractmethod
    def validate(self, network: nn.Module) -> Validation:
        """Metrics and pictures of `network` (in eval mode) on the validation split."""

    def warning(self, losses: dict[str, float]) -> str | None:
        """A warning about the mean losses since the last validation, or None."""
        return None
