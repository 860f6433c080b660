"""The GRID audiovisual sentence corpus (Cooke et al., 2006), and anything laid out like it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pipeline.config.ranges import Range
from pipeline.corpora.alignment import ALIGNMENTS, read_alignment
from pipeline.corpora.base import Clip, CorpusEntry, OpenedCorpus, SplitSection, files_below, need_folder, register
from pipeline.corpora.layout import VIDEOS, contents, levels, subfolders, unpacking
from pipeline.corpora.split import draw, split_names
from pipeline.runtime.errors import PipelineError

_USUAL = (".mpg", ".mp4")
_SPEAKER = re.compile(r"s\d+", re.IGNORECASE)


@dataclass(frozen=True)
class GridParams(SplitSection):
    """The GRID audiovisual sentence corpus, as its archives unpack."""

    root: str = "data/raw/grid"
    """The folder that holds s1, s2, ...; absolute, or relative to the project."""
    split_by: Literal["clip", "speaker"] = "clip"
    """clip: every speaker in every split, unseen sentences; speaker: unseen people."""
    speakers: tuple[str, ...] = ()
    """Only these speakers, such as [s1, s29]; empty: all."""
    test_speakers: tuple[str, ...] = ()
    """All clips of these speakers are for the test, whatever else; the original's is [s29]."""
    max_clips: Annotated[int, Range(0, note="0: all")] = 0
    """At most so many clips, drawn evenly over the speakers; 0: all."""


@dataclass(frozen=True)
class Grid(OpenedCorpus):
    """GRID's layout: ``sN/NAME.mpg``, or deeper as in the tar files (``sN/video/mpg_6000/NAME.mpg``).

    The words are in ``alignments/sN/NAME.align`` or ``sN/align/NAME.align``; a clip without alignment has an empty
    text. Names may be in capitals, videos in other containers, and the speakers' folders up to two levels further down.
    The official corpus has 33 speakers: s1 to s34 without s21, whose video was lost.
    """

    params: GridParams
    advice: str = (
        "Unpack the corpus there (Zenodo record 3625687; `atvgnet fetch grid` does it), or name its folder: "
        "dvc exp run -S corpora.grid.root=PATH"
    )

    def clips(self) -> list[Clip]:
        """All clips of the chosen speakers, or a sample of them, even over the speakers."""
        params, key, seed = self.params, self.opening.key, self.opening.seed
        need_folder(self.root, f"{key}.root", self.advice)
        folders = self._folders()
        files = self._files(folders)
        ids = draw(files, params.max_clips, seed=seed, group=_speaker)
        held_out = {name.lower() for name in params.test_speakers}
        others = [clip for clip in ids if _speaker(clip) not in held_out]
        split = partial(split_names, seed=seed, val=params.val, test=params.test)
        if params.split_by == "clip":
            keys = f"{key}.val or {key}.test, or take more clips ({key}.speakers, {key}.max_clips)"
            splits = split(others, keys=keys, group=_speaker)
        else:
            more = f"take more speakers ({key}.speakers), or set {key}.split_by to clip"
            people = split(map(_speaker, others), keys=f"{key}.val or {key}.test, {more}", what="speakers")
            splits = {clip: people[_speaker(clip)] for clip in others}
        splits |= dict.fromkeys(set(ids).difference(others), "test")
        texts = self._alignments(folders)
        return [Clip(clip, _speaker(clip), splits[clip], _words(texts.get(clip.lower())), files[clip]) for clip in ids]

    def _folders(self) -> dict[str, list[Path]]:
        """The folders of each chosen speaker, on the highest level that has videos."""
        speakers: dict[str, list[Path]] = defaultdict(list)
        for level in levels(self.root):
            for folder in level:
                if _SPEAKER.fullmatch(folder.name):
                    speakers[folder.name.lower()].append(folder)
            if any(next(files_below(folder, VIDEOS), None) for folders in speakers.values() for folder in folders):
                break
            speakers.clear()
        if not speakers:
            raise self._no_clip()
        for key in ("speakers", "test_speakers"):
            unknown = [name for name in getattr(self.params, key) if name.lower() not in speakers]
            if unknown:
                known = ", ".join(sorted(speakers, key=lambda name: int(name[1:])))
                fault = f"{self.opening.key}.{key}: no folder {unknown[0]} in {self.root}. There are: {known}."
                raise PipelineError(f"{fault} Name some of these.")
        return {name: speakers[name] for name in dict.fromkeys(map(str.lower, self.params.speakers or speakers))}

    def _files(self, folders: dict[str, list[Path]]) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for speaker, places in folders.items():
            for path in (path for place in places for path in files_below(place, VIDEOS)):
                # A sentence may exist in two qualities. The file higher up is used, then a usual one, then by name.
                clip = f"{speaker}/{path.stem}"
                both = (files.get(clip, path), path)
                files[clip] = min(both, key=lambda file: (len(file.parts), file.suffix.lower() not in _USUAL, file))
        if not files:
            raise self._no_clip()
        return files

    def _alignments(self, folders: dict[str, list[Path]]) -> dict[str, Path]:
        """The alignment of each clip, by the clip's id in lower case."""
        holders = dict.fromkeys([self.root, *(place.parent for places in folders.values() for place in places)])
        shared = [folder for holder in holders for folder in subfolders(holder) if folder.name.lower() in ALIGNMENTS]
        alignments: dict[str, Path] = {}
        for place in chain(*map(subfolders, shared), *folders.values()):
            if place.name.lower() in folders:
                for path in files_below(place, (".align",)):
                    alignments.setdefault(f"{place.name}/{path.stem}".lower(), path)
        return alignments

    def _no_clip(self) -> PipelineError:
        advice = unpacking(self.root) or self.advice
        if _SPEAKER.fullmatch(self.root.name):
            advice = f"That is the folder of one speaker: set {self.opening.key}.root to {self.root.parent}."
        elif next(files_below(self.root, VIDEOS), None):
            advice = "Put every speaker's clips into a folder, s1, s2, ..., or take the corpus `folder`."
        fault = f"no clip such as s1/bbaf2n.mpg in {self.root}, which holds {contents(self.root)}"
        return PipelineError(f"{self.opening.key}.root: {fault}. {advice}")


def _words(alignment: Path | None) -> str:
    return "" if alignment is None else " ".join(word.label for word in read_alignment(alignment) if word.label)


def _speaker(clip: str) -> str:
    return clip.split("/")[0]


register(
    CorpusEntry(
        name="grid",
        title="the GRID audiovisual sentence corpus (https://doi.org/10.5281/zenodo.3625687)",
        layout="`sN/NAME.mpg` and `alignments/sN/NAME.align`",
        params=GridParams,
        open=Grid,
        licence="CC BY 4.0",
        attribution="The GRID audiovisual sentence corpus: Cooke, Barker, Cunningham and Shao, 2006.",
    )
)
