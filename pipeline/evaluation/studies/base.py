"""What a study is: something that is changed by levels, and what becomes of a clip at each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.baselines.base import TestClip
from pipeline.inference.talking_head import TalkingHead


@dataclass(frozen=True)
class Material:
    """What a study changes, a clip at a time."""

    clip: TestClip
    samples_N: NDArray[np.int16]
    """The clip's sound, mono at 16 kHz."""
    babble_N: NDArray[np.float64]
    """Several others who speak at once, as long as the clip or longer, in [-1, 1]."""
    seed: int
    """Of this clip's noise."""


@dataclass(frozen=True)
class Study:
    """One curve; one each in the registry."""

    name: str
    """The file of its table, `studies/NAME.csv`."""
    title: str
    level: str
    """What its levels are, with the unit."""
    levels: Sequence[float]
    measure: Callable[[TalkingHead, Material, float], Mapping[str, float]]
    """Metrics of a clip at a level, by the names of the registry."""
    metrics: Sequence[str]
    """Those that `measure` gives."""


STUDIES: dict[str, Study] = {}
"""All studies by name; `pipeline.evaluation.studies.registry` fills it."""


def register(study: Study) -> None:
    """Add a study."""
    STUDIES[study.name] = study
