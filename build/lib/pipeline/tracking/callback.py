"""The training's callback that writes to MLflow."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from pipeline.training.callbacks import Callback


class Receiver(Protocol):
    """What the callback needs of a run."""

    def metrics(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Take metrics of a step."""

    def picture(self, name: str, image_HWC: np.ndarray, step: int = 0) -> None:
        """Take a picture of a step."""


class RunCallback(Callback):
    """Passes a training's curves and pictures on to a run."""

    def __init__(self, run: Receiver) -> None:
        self.run = run

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to the curves."""
        self.run.metrics(values, step)

    def picture(self, step: int, name: str, image_HWC: np.ndarray) -> None:
        """Add a picture to the series `name`."""
        self.run.picture(name, image_HWC, step)

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Write what the kept weights reached beside the curves, whose last point need not be theirs."""
        self.run.metrics({"kept": summary}, step)
