"""Studies of how the models bear changed inputs (docs/evaluation.md): one curve per study.

`landmark_noise` and `sound` define the studies, and `run` runs them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import TestClip
from pipeline.inference.talking_head import TalkingHead


@dataclass(frozen=True)
class StudyClip:
    """A test clip, and what a study may change it with."""

    clip: TestClip
    samples_N: NDArray[np.int16]
    """The clip's sound, mono at 16 kHz."""
    babble_N: NDArray[np.float64]
    """Several other speakers at once, at least as long as the clip."""
    seed: int
    """Of this clip's noise."""


@dataclass(frozen=True)
class Study:
    """A change by levels, and the metrics of a clip at each level."""

    name: str
    """The name of its table, ``studies/NAME.csv``."""
    title: str
    level: str
    """What the levels are, with the unit."""
    levels: Sequence[float]
    metrics: Sequence[str]
    compute: Callable[[TalkingHead, StudyClip, float], Mapping[str, float]]
    """Some or all of these metrics, of a clip at a level."""
