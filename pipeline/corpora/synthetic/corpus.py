"""The embedded corpus, which the stage sample makes, as a corpus to read; in params.yaml it is called sample."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pipeline.config.ranges import Range, Section
from pipeline.corpora.base import CorpusEntry, Opening, register
from pipeline.corpora.grid import Grid
from pipeline.runtime import paths


@dataclass(frozen=True)
class SyntheticParams(Section):
    """The procedural corpus that ships with the project."""

    speakers: Annotated[int, Range(1, 34)] = 8
    """How many speakers, 1 to 34; they differ in voice and face."""
    sentences: Annotated[int, Range(3, 1000, note="one at least for each of train, val and test")] = 9
    """Sentences a speaker says; no sentence comes twice in the corpus."""
    seed: int = 0
    """Another seed gives other sentences, voices and faces."""


def _open(params: SyntheticParams, opening: Opening) -> Grid:
    """It is an out of the pipeline, so it lies below the working directory."""
    return Grid(
        root=(Path.cwd() / paths.SYNTHETIC).absolute(),
        key=opening.key,
        seed=opening.seed,
        val=1 / 9,
        test=2 / 9,
        advice="Make it with `dvc repro sample`.",
    )


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
        seen="They know one face, a photograph that synthetic speakers share; others hardly move their lips, and "
        "streaks may show. For those train on clips of real people (README, Your data).",
    )
)
