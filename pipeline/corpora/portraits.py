"""Photographs of faces that the stage portraits made to speak, as a corpus of many identities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq

from pipeline.config.ranges import Count, Range, Section
from pipeline.corpora.base import Clip, CorpusEntry, Opening, register, require_shares
from pipeline.corpora.split import split_names
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError

TABLE = "clips.parquet"
"""What the stage portraits lists the clips in: id, speaker, text, path."""


@dataclass(frozen=True)
class PortraitsParams(Section):
    """A folder of photographs, one face each."""

    root: str = "data/raw/portraits"
    """The folder of the photographs; searched with its subfolders."""
    clips: Annotated[int, Range(1, 1000)] = 4
    """Clips of 3 s that each photograph speaks."""
    val: float = 0.05
    """Share of the photographs for validation."""
    test: float = 0.05
    """Share of the photographs for the test."""
    seed: Count = 0
    """Another seed gives other voices, words and movements."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_shares(self.val, self.test)


@dataclass(frozen=True)
class Portraits:
    """The clips of the stage portraits; every photograph is a speaker, and goes to one split with all its clips."""

    root: Path
    """Where the stage put the clips."""
    key: str
    seed: int
    val: float
    test: float

    def clips(self) -> list[Clip]:
        """All clips, by photograph."""
        if not (self.root / TABLE).exists():
            raise PipelineError(f"{self.root / TABLE} is missing. Make the clips with `dvc repro portraits`.")
        rows = pq.read_table(self.root / TABLE).to_pylist()
        keys = f"{self.key}.val or {self.key}.test, or add photographs to {self.key}.root"
        splits = split_names(
            (row["speaker"] for row in rows),
            seed=self.seed,
            val=self.val,
            test=self.test,
            keys=keys,
            what="photographs that speak",
        )
        clips = [
            Clip(row["id"], row["speaker"], splits[row["speaker"]], row["text"], self.root / row["path"])
            for row in rows
        ]
        return sorted(clips, key=lambda clip: clip.id)


def _open(params: PortraitsParams, opening: Opening) -> Portraits:
    """Its clips are an out of the pipeline, so they lie below the working directory."""
    return Portraits((Path.cwd() / paths.PORTRAITS).absolute(), opening.key, opening.seed, params.val, params.test)


register(
    CorpusEntry(
        name="portraits",
        title="your own photographs of faces, which the project makes speak: many identities",
        layout="pictures of one face each, in any folders",
        params=PortraitsParams,
        open=_open,
        licence="That of your photographs",
        attribution="Your own photographs; espeak-ng speaks.",
        made=True,
        seen="Their movements are a synthesiser's, not people's.",
    )
)
