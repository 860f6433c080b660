"""What a metric is: its entry in `METRICS`, and base classes for metrics of frames and of whole clips."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.plugins import Registry

Compares = Literal[
    "frames", "landmarks", "shapes", "drawn", "coefficients", "identity", "loudness", "phonemes", "syncnet"
]
"""The inputs of a metric: ``preds`` of the T generated frames; ``target`` of the real ones, the reference or the sound.

- ``frames``: float RGB in [0, 1], (T, 3, size, size), size 128 or 256 (`landmarks.size`), of both videos. A pixel
  that one of the videos does not show is NaN in both, and metrics ignore it.
- ``landmarks``: dlib's 68 points (T, 68, 2) of both videos, in pixels of a 128x128 face for any size; NaN without a
  face.
- ``shapes``: the same points, measured in crops that follow each video's own face. So the motion of one video's crop
  does not add to the motion of the other's lips.
- ``drawn``: the points (T, 68, 2) that AT-net predicted, in the same pixels; dlib's points of the real frames.
- ``coefficients``: AT-net's coefficients (T, K); those of the real landmarks.
- ``identity``: dlib's face descriptors (N, 128) of some frames, NaN without a face; the descriptor (128,) of the
  reference picture.
- ``loudness``: points as for ``shapes``; per frame (T,) the root mean square of samples in [-1, 1].
- ``phonemes``: points as for ``shapes``; the class (T,) of the spoken phoneme (`pipeline.speech.phonemes`).
- ``syncnet``: SyncNet's features (W, 1024) of the frames and of the sound.
"""

DECIDING = "lmd"
"""The metric by which models compete (lower is better). It comes first where there is room for only one."""

FIRST = (DECIDING, "opening", "closed", "relative_offset")
"""The metrics that reports show first: whether the lips match the speech, and when."""


class NotComputed(Exception):
    """A metric has no value for a clip. The message is the reason that reports show."""


@dataclass(frozen=True)
class ExternalWeights:
    """Weights that the project does not ship. An environment variable names the user's file for all processes."""

    variable: str

    def problem(self) -> str:
        """Why the weights cannot be used; empty if they can."""
        path = os.environ.get(self.variable)
        if not path:
            return f"needs weights that the project does not ship: set {self.variable} to their path"
        return "" if Path(path).is_file() else f"{self.variable} is {path}, which is not a file"

    def path(self) -> Path:
        """The user's file. Raises PipelineError if there is none."""
        if problem := self.problem():
            raise PipelineError(f"The metric cannot be computed: {problem}.")
        return Path(os.environ[self.variable])


@dataclass(frozen=True)
class MetricEntry:
    """A row of the table of metrics."""

    name: str
    """Key in metrics.json and means.json, and column of clips.csv."""
    title: str
    """Name in reports and plots."""
    make: Callable[[], Metric]
    """Make a new metric for one clip. Its ``compute`` returns a scalar; NaN if there is nothing to compare."""
    compares: Compares = "landmarks"
    unit: str = ""
    higher_is_better: bool = False
    digits: int = 3
    """Decimal places in reports."""
    about: str = ""
    """One line for readers who do not know the metric."""
    source: str = ""
    """Citation of its definition; empty for common knowledge."""
    url: str = ""
    """Address of the source."""
    real: bool = True
    """Whether it needs the real clip. If not, ``update`` gets only ``preds`` of frames, landmarks and shapes."""
    across: bool = False
    """Whether it also holds if the real clip shows another person."""
    weights: ExternalWeights | None = None
    """The weights that the user must provide. Without them ``make`` raises PipelineError."""
    nearest: Literal["", "0", "the real clip"] = ""
    """Where good values lie if neither the highest nor the lowest is best; ``higher_is_better`` then means nothing."""

    @property
    def label(self) -> str:
        """Title, unit and direction, for axes and headings."""
        return f"{self.title} ({self.unit}, {self.direction})" if self.unit else f"{self.title} ({self.direction})"

    @property
    def direction(self) -> str:
        """Which values are better, in words."""
        if self.nearest:
            return f"nearer to {self.nearest} is better"
        return "higher is better" if self.higher_is_better else "lower is better"

    def badness(self, values: Any, real: Any) -> Any:
        """``values`` such that higher is worse; ``real`` are the real clip's, for metrics that should be near them."""
        if self.nearest:
            return abs(values - (real if self.nearest == "the real clip" else 0))
        return -values if self.higher_is_better else values


METRICS: Registry[MetricEntry] = Registry()
"""All metrics by name. Import it from `pipeline.metrics`, which fills it."""


class FrameMean(Metric):
    """The mean of a value per frame. Frames whose value is NaN are left out; NaN if no frame is left."""

    total: Tensor
    frames: Tensor

    def __init__(self, function: Callable[..., Tensor]) -> None:
        """``function`` takes ``preds`` and, if there is one, ``target``, and returns a value per frame (T,)."""
        super().__init__()
        self.function = function
        for name in ("total", "frames"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, *inputs: Tensor) -> None:
        """Add frames."""
        values_T = self.function(*inputs).double()
        self.total += values_T.nansum()
        self.frames += (~values_T.isnan()).sum()

    def compute(self) -> Tensor:
        """The mean, in the unit of the values."""
        return self.total / self.frames


class ClipMetric(Metric):
    """A function of all frames of a clip, which may be added in parts, in order. NaN without frames."""

    preds: list[Tensor]
    target: list[Tensor]

    def __init__(self, function: Callable[..., float]) -> None:
        """``function`` takes arrays: all ``preds`` and, if there are any, all ``target``."""
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
        """The function's value."""
        if not self.preds:
            return torch.tensor(torch.nan)
        arrays = (dim_zero_cat(parts).numpy() for parts in (self.preds, self.target) if parts)
        return torch.tensor(self.function(*arrays), dtype=torch.float64)
