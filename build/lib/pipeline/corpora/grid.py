"""The GRID audiovisual sentence corpus (Cooke et al., 2006), and anything laid out like it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.config.params import require
from pipeline.corpora.base import Clip, CorpusEntry, Opening, files_below, need_folder, register, require_shares
from pipeline.corpora.split import draw, split_names
from pipeline.runtime.errors import PipelineError

_SUFFIXES = (".mpg", ".mp4")
_SPEAKER = re.compile(r"s\d+")
_PAUSES = {"sil", "sp"}


@dataclass(frozen=True)
class GridParams:
    """The GRID audiovisual sentence corpus, as its archives unpack."""

    root: str = "data/raw/grid"
    """The folder that holds s1, s2, ...; absolute, or relative to the project."""
    split_by: Literal["clip", "speaker"] = "clip"
    """clip: every speaker in every split, unseen sentences; speaker: unseen people."""
    val: float = 0.1
    """Share of the clips (or speakers) for validation."""
    test: float = 0.1
    """Share of the clips (or speakers) for the test."""
    speakers: tuple[str, ...] = ()
    """Only these speakers, such as [s1, s29]; empty: all."""
    max_clips: int = 0
    """At most so many clips, drawn evenly over the speakers; 0: all."""

    def __post_init__(self) -> None:
        require_shares(self.val, self.test)
        require(self.max_clips >= 0, "max_clips must be 0 (all) or more")


@dataclass(frozen=True)
class Grid:
    """GRID's layout: ``sN/NAME.mpg``, or deeper as in the tar files (``sN/video/mpg_6000/NAME.mpg``), with the words in
    ``alignments/sN/NAME.align`` or ``sN/align/NAME.align``. A clip without alignment has an empty text.

    The official corpus has 33 speakers: s1 to s34 without s21, whose video was lost.
    """

    root: Path
    key: str
    """The section of params.yaml that messages name."""
    seed: int
    val: float
    test: float
    split_by: Literal["clip", "speaker"] = "clip"
    speakers: tuple[str, ...] = ()
    max_clips: int = 0
    advice: str = (
        "Unpack the corpus there (Zenodo record 3625687; `atvgnet fetch grid` does it), or name its folder: "
        "dvc exp run -S corpora.grid.root=PATH"
    )

    def clips(self) -> list[Clip]:
        """All clips, or those of ``speakers``; at most ``max_clips``, even over the speakers."""
        files = self._files()
        ids = draw(files, self.max_clips, seed=self.seed, group=_speaker)
        share_keys = f"{self.key}.val or {self.key}.test"
        if self.split_by == "clip":
            keys = f"{share_keys}, or take more clips ({self.key}.speakers, {self.key}.max_clips)"
            splits = split_names(ids, seed=self.seed, val=self.val, test=self.test, keys=keys, group=_speaker)
        else:
            keys = f"{share_keys}, take more speakers ({self.key}.speakers), or set {self.key}.split_by to clip"
            people = split_names(
                map(_speaker, ids), seed=self.seed, val=self.val, test=self.test, keys=keys, what="speakers"
            )
            splits = {clip: people[_speaker(clip)] for clip in ids}
        return [Clip(clip, _speaker(clip), splits[clip], self._text(clip), files[clip]) for clip in ids]

    def _files(self) -> dict[str, Path]:
        need_folder(self.root, f"{self.key}.root", self.advice)
        folders = {one.name: one for one in self.root.iterdir() if one.is_dir() and _SPEAKER.fullmatch(one.name)}
        unknown = [name for name in self.speakers if name not in folders]
        if unknown:
            known = ", ".join(sorted(folders, key=lambda name: int(name[1:]))) or "none"
            raise PipelineError(
                f"{self.key}.speakers: no folder {unknown[0]} in {self.root}. There are: {known}. Name some of these."
            )
        files: dict[str, Path] = {}
        for speaker in self.speakers or folders:
            for path in files_below(folders[speaker], _SUFFIXES):
                # The same sentence may lie there in two qualities: the one higher up counts, then the first by name.
                best = files.get(clip := f"{speaker}/{path.stem}", path)
                files[clip] = min(best, path, key=lambda one: (len(one.parts), one))
        if not files:
            raise PipelineError(f"{self.key}.root: no clip such as s1/bbaf2n.mpg in {self.root}. {self.advice}")
        return files

    def _text(self, clip: str) -> str:
        speaker, name = clip.split("/")
        for path in (
            self.root / "alignments" / speaker / f"{name}.align",
            self.root / speaker / "align" / f"{name}.align",
        ):
            if path.is_file():
                lines = (line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
                return " ".join(line[2] for line in lines if len(line) == 3 and line[2] not in _PAUSES)
        return ""


def _speaker(clip: str) -> str:
    return clip.split("/")[0]


def _open(params: GridParams, opening: Opening) -> Grid:
    return Grid(
        root=opening.root,
        key=opening.key,
        seed=opening.seed,
        val=params.val,
        test=params.test,
        split_by=params.split_by,
        speakers=params.speakers,
        max_clips=params.max_clips,
    )


register(
    CorpusEntry(
        name="grid",
        title="the GRID audiovisual sentence corpus (https://doi.org/10.5281/zenodo.3625687)",
        layout="`sN/NAME.mpg` and `alignments/sN/NAME.align`",
        params=GridParams,
        open=_open,
        licence="CC BY 4.0",
        attribution="The GRID audiovisual sentence corpus: Cooke, Barker, Cunningham and Shao, 2006.",
    )
)
