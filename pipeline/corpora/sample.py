"""The sample corpus, which the stage sample makes with `pipeline.synthetic`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pipeline.config.ranges import Count, Range, Section
from pipeline.corpora.base import CorpusEntry, Opening, register
from pipeline.corpora.grid import Grid, GridParams
from pipeline.runtime import paths


@dataclass(frozen=True)
class SyntheticParams(Section):
    """The procedural corpus that ships with the project."""

    speakers: Annotated[int, Range(1, 34)] = 8
    """Number of speakers; they differ in voice and face."""
    sentences: Annotated[int, Range(3, 1000, note="one at least for each of train, val and test")] = 9
    """Sentences per speaker; no sentence occurs twice in the corpus."""
    seed: Count = 0
    """Another seed gives other sentences, voices and faces."""


def _open(params: SyntheticParams, opening: Opening) -> Grid:
    """Open the stage's out, which lies below the working directory."""
    opening = replace(opening, root=(Path.cwd() / paths.SYNTHETIC).absolute())
    return Grid(GridParams(val=1 / 9, test=2 / 9), opening, advice="Make it with `dvc repro sample`.")


register(
    CorpusEntry(
        name="sample",
        title="made by the project: GRID's sentences, spoken by a synthesiser, on a photograph that moves its lips",
        layout="as GRID's",
        params=SyntheticParams,
        open=_open,
        licence="MIT",
        attribution="The photograph is NASA's portrait of Eileen Collins (public domain); espeak-ng speaks.",
        made=True,
        caveat="They know one face, a photograph that synthetic speakers share; others hardly move their lips, and "
        "streaks may show. For those train on clips of real people (README, Your data).",
    )
)
