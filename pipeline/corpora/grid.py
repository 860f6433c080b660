"""The GRID audiovisual sentence corpus (Cooke et al., 2006), and anything laid out like it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pipeline.config.ranges import Range, Section
from pipeline.corpora.alignment import ALIGNMENTS, read_alignment
from pipeline.corpora.base import Clip, CorpusEntry, Opening, files_below, need_folder, register, require_shares
from pipeline.corpora.layout import VIDEOS, contents, levels, subfolders, unpacking
from pipeline.corpora.split import draw, split_names
from pipeline.runtime.errors import PipelineError

_USUAL = (".mpg", ".mp4")
_SPEAKER = re.compile(r"s\d+", re.IGNORECASE)


@dataclass(frozen=True)
class GridParams(Section):
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
    test_speakers: tuple[str, ...] = ()
    """All clips of these speakers are for the test, whatever else; the original's is [s29]."""
    max_clips: Annotated[int, Range(0, note="0: all")] = 0
    """At most so many clips, drawn evenly over the speakers; 0: all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_shares(self.val, self.test)


@dataclass(frozen=True)
class Grid:
    """GRID's layout: ``sN/NAME.mpg``, or deeper as in the tar files (``sN/video/mpg_6000/NAME.mpg``), with the words in
    ``alignments/sN/NAME.align`` or ``sN/align/NAME.align``. A clip without alignment has an empty text.

    Folders and suffixes may be in capitals, videos in another container, and the speakers' folders up to two folders
    further down.

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
    test_speakers: tuple[str, ...] = ()
    max_clips: int = 0
    advice: str = (
        "Unpack the corpus there (Zenodo record 3625687; `atvgnet fetch grid` does it), or name its folder: "
        "dvc exp run -S corpora.grid.root=PATH"
    )

    def clips(self) -> list[Clip]:
        """All clips, or those of ``speakers``; at most ``max_clips``, even over the speakers."""
        need_folder(self.root, f"{self.key}.root", self.advice)
        folders = self._folders()
        files = self._files(folders)
        ids = draw(files, self.max_clips, seed=self.seed, group=_speaker)
        unseen = {name.lower() for name in self.test_speakers}
        seen = [clip for clip in ids if _speaker(clip) not in unseen]
        share_keys = f"{self.key}.val or {self.key}.test"
        if self.split_by == "clip":
            keys = f"{share_keys}, or take more clips ({self.key}.speakers, {self.key}.max_clips)"
            splits = split_names(seen, seed=self.seed, val=self.val, test=self.test, keys=keys, group=_speaker)
        else:
            keys = f"{share_keys}, take more speakers ({self.key}.speakers), or set {self.key}.split_by to clip"
            people = split_names(
                map(_speaker, seen), seed=self.seed, val=self.val, test=self.test, keys=keys, what="speakers"
            )
            splits = {clip: people[_speaker(clip)] for clip in seen}
        splits |= {clip: "test" for clip in ids if _speaker(clip) in unseen}
        texts = self._alignments(folders)
        return [Clip(clip, _speaker(clip), splits[clip], _words(texts.get(clip.lower())), files[clip]) for clip in ids]

    def _folders(self) -> dict[str, list[Path]]:
        """The folders of each wanted speaker, of the highest level that has videos."""
        found: dict[str, list[Path]] = defaultdict(list)
        for level in levels(self.root):
            for folder in level:
                if _SPEAKER.fullmatch(folder.name):
                    found[folder.name.lower()].append(folder)
            if any(next(files_below(one, VIDEOS), None) for folders in found.values() for one in folders):
                break
            found.clear()
        if not found:
            raise self._no_clip()
        for key, names in (("speakers", self.speakers), ("test_speakers", self.test_speakers)):
            unknown = [name for name in names if name.lower() not in found]
            if unknown:
                known = ", ".join(sorted(found, key=lambda name: int(name[1:])))
                raise PipelineError(
                    f"{self.key}.{key}: no folder {unknown[0]} in {self.root}. There are: {known}. Name some of these."
                )
        return {name: found[name] for name in dict.fromkeys(map(str.lower, self.speakers or found))}

    def _files(self, folders: dict[str, list[Path]]) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for speaker, places in folders.items():
            for path in (path for place in places for path in files_below(place, VIDEOS)):
                # The same sentence may lie there in two qualities: the one higher up counts, then the first by name.
                best = files.get(clip := f"{speaker}/{path.stem}", path)
                files[clip] = min(best, path, key=lambda one: (len(one.parts), one.suffix.lower() not in _USUAL, one))
        if not files:
            raise self._no_clip()
        return files

    def _alignments(self, folders: dict[str, list[Path]]) -> dict[str, Path]:
        """The file of each clip's words, by the clip's id in small letters."""
        holders = dict.fromkeys([self.root, *(place.parent for places in folders.values() for place in places)])
        apart = [one for holder in holders for one in subfolders(holder) if one.name.lower() in ALIGNMENTS]
        found: dict[str, Path] = {}
        for place in [*(one for folder in apart for one in subfolders(folder)), *chain(*folders.values())]:
            if place.name.lower() in folders:
                for path in files_below(place, (".align",)):
                    found.setdefault(f"{place.name}/{path.stem}".lower(), path)
        return found

    def _no_clip(self) -> PipelineError:
        advice = unpacking(self.root) or self.advice
        if _SPEAKER.fullmatch(self.root.name):
            advice = f"That is the folder of one speaker: set {self.key}.root to {self.root.parent}."
        elif next(files_below(self.root, VIDEOS), None):
            advice = "Put every speaker's clips into a folder, s1, s2, ..., or take the corpus `folder`."
        seen = contents(self.root)
        return PipelineError(
            f"{self.key}.root: no clip such as s1/bbaf2n.mpg in {self.root}, which holds {seen}. {advice}"
        )


def _words(alignment: Path | None) -> str:
    return "" if alignment is None else " ".join(word.label for word in read_alignment(alignment) if word.label)


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
        test_speakers=params.test_speakers,
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
