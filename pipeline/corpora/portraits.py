"""Clips that the stage portraits makes of the user's photographs: a corpus with many identities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq

from pipeline.config.ranges import Count, Range, require
from pipeline.corpora.base import Clip, CorpusEntry, OpenedCorpus, SplitSection, register
from pipeline.corpora.split import split_names
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError

TABLE = "clips.parquet"
"""The stage's table of clips: id, speaker, text, path."""


@dataclass(frozen=True)
class PortraitsParams(SplitSection):
    """A folder of photographs, one face each."""

    root: str = "data/raw/portraits"
    """The folder of the photographs; searched with its subfolders."""
    clips: Annotated[int, Range(1, 1000)] = 4
    """Clips of 3 s per photograph."""
    val: float = 0.05
    test: float = 0.05
    voices: str = ""
    """A folder of recorded speech that the photographs speak, with `transcripts.tsv`; empty: the synthesiser speaks."""
    synthetic: Count = 0
    """The last clips of each photograph that the synthesiser speaks although there are `voices`."""
    smile: bool = False
    """The first clip of each photograph that shows teeth begins with that smile."""
    seed: Count = 0
    """Another seed gives other voices, words and movements."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.voices or self.synthetic < self.clips, "synthetic is below clips if there are voices")


@dataclass(frozen=True)
class Portraits(OpenedCorpus):
    """The clips of the stage portraits. Every photograph is a speaker; all of its clips are in one split."""

    params: PortraitsParams

    @property
    def root(self) -> Path:
        """The stage's out, which lies below the working directory."""
        return (Path.cwd() / paths.PORTRAITS).absolute()

    def clips(self) -> list[Clip]:
        """All clips, by photograph."""
        root, key = self.root, self.opening.key
        if not (root / TABLE).exists():
            raise PipelineError(f"{root / TABLE} is missing. Make the clips with `dvc repro portraits`.")
        table = pq.read_table(root / TABLE)
        speakers = table["speaker"].to_pylist()
        keys = f"{key}.val or {key}.test, or add photographs to {key}.root"
        seed, val, test = self.opening.seed, self.params.val, self.params.test
        splits = split_names(speakers, seed=seed, val=val, test=test, keys=keys, what="photographs that speak")
        rows = zip(*(table[name].to_pylist() for name in ("id", "speaker", "text", "path")), strict=True)
        return [Clip(name, who, splits[who], text, root / path) for name, who, text, path in sorted(rows)]


register(
    CorpusEntry(
        name="portraits",
        title="your own photographs of faces, which the project makes speak: many identities",
        layout="pictures of one face each, in any folders",
        params=PortraitsParams,
        open=Portraits,
        licence="That of your photographs",
        attribution="Your own photographs; espeak-ng or your recordings speak.",
        made=True,
        caveat="Their movements are a synthesiser's, not people's.",
    )
)
