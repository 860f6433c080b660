"""Lip Reading in the Wild (Chung and Zisserman, 2016): one word per clip, with its own split."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pipeline.config.ranges import Range, Section
from pipeline.corpora.base import SPLITS, Clip, CorpusEntry, Split, need_folder, register
from pipeline.corpora.layout import VIDEOS, contents, levels, subfolders
from pipeline.corpora.split import draw
from pipeline.runtime.errors import PipelineError

_FOLDER = "lipread_mp4"


@dataclass(frozen=True)
class LrwParams(Section):
    """Lip Reading in the Wild, as its archives unpack; it brings its own split."""

    root: str = "data/raw/lrw"
    """The folder that holds lipread_mp4, or that folder itself."""
    words: tuple[str, ...] = ()
    """Only these words; empty: all."""
    max_clips: Annotated[int, Range(0, note="0: all")] = 0
    """At most so many clips, drawn evenly over the words; 0: all."""


@dataclass(frozen=True)
class Lrw:
    """LRW's layout: ``lipread_mp4/WORD/{train,val,test}/WORD_NNNNN.mp4``; ``base`` is that folder or its parent.

    The text is the word; who speaks is unknown. The .txt beside a clip tells where it was broadcast, which nothing here
    needs.
    """

    base: Path
    key: str
    seed: int
    words: tuple[str, ...] = ()
    max_clips: int = 0

    @property
    def root(self) -> Path:
        """The folder of the words: ``base``, or the one of LRW's name in it or up to three folders further down."""
        if not self.base.exists() or _is_word(self.base) or any(map(_is_word, subfolders(self.base))):
            return self.base
        for level in levels(self.base):
            for folder in level:
                if folder.name.lower() == _FOLDER or any(map(_is_word, subfolders(folder))):
                    return folder
        return self.base

    def clips(self) -> list[Clip]:
        """All clips, or those of ``words``; at most ``max_clips``, in the splits' shares and even over the words."""
        files = self._files()
        counts = self._counts({split: len(files[split]) for split in SPLITS})
        return [
            Clip(one, "", split, _word(one), path)
            for one, (split, path) in sorted(
                (one, (split, files[split][one]))
                for split in SPLITS
                for one in draw(files[split], counts[split], seed=self.seed, group=_word)
            )
        ]

    def _counts(self, there: dict[str, int]) -> dict[str, int]:
        """How many clips of each split to draw; 0 is all."""
        if not self.max_clips:
            return dict.fromkeys(there, 0)
        total = sum(there.values())
        counts = {split: max(1, round(self.max_clips * there[split] / total)) for split in ("val", "test")}
        counts["train"] = self.max_clips - sum(counts.values())
        if counts["train"] < 1:
            raise PipelineError(
                f"{self.key}.max_clips = {self.max_clips} leaves no clip for train. Raise it, or set it to 0."
            )
        return counts

    def _files(self) -> dict[Split, dict[str, Path]]:
        """Every clip's file by split and id."""
        advice = (
            f"Unpack LRW there (`atvgnet fetch lrw` says where to apply for it), or set {self.key}.root to its folder."
        )
        need_folder(self.base, f"{self.key}.root", advice)
        folders = {one.name.lower(): one for one in subfolders(self.root)}
        found: dict[Split, dict[str, Path]] = {split: {} for split in SPLITS}
        unknown = [word for word in self.words if word.lower() not in folders]
        if unknown:
            raise PipelineError(
                f"{self.key}.words: no folder {unknown[0]} in {self.root}, which holds {contents(self.root)}. "
                "Name some of these words."
            )
        for word in dict.fromkeys(map(str.lower, self.words or folders)):
            places = {one.name.lower(): one for one in subfolders(folders[word])}
            for split in SPLITS:
                for path in map(Path, os.scandir(places[split]) if split in places else ()):
                    if path.suffix.lower() in VIDEOS and not path.name.startswith("."):
                        found[split][f"{folders[word].name}/{split}/{path.stem}"] = path
        if not any(found.values()):
            if _is_word(self.base):
                advice = f"That is the folder of one word: set {self.key}.root to {self.base.parent}."
            raise PipelineError(
                f"{self.key}.root: no clip such as ABOUT/train/ABOUT_00001.mp4 in {self.root}, which holds "
                f"{contents(self.root)}. {advice}"
            )
        for split in SPLITS:
            if not found[split]:
                raise PipelineError(
                    f"{self.key}: no clip in {split}. Take more words ({self.key}.words) or complete the corpus."
                )
        return found


def _is_word(folder: Path) -> bool:
    """Whether a folder has splits with videos in them."""
    splits = (one for one in subfolders(folder) if one.name.lower() in SPLITS)
    return any(one.name.lower().endswith(VIDEOS) for split in splits for one in os.scandir(split))


def _word(clip: str) -> str:
    return clip.split("/")[0]


register(
    CorpusEntry(
        name="lrw",
        title="Lip Reading in the Wild",
        layout="`lipread_mp4/WORD/{train,val,test}/WORD_NNNNN.mp4`",
        params=LrwParams,
        open=lambda params, opening: Lrw(opening.root, opening.key, opening.seed, params.words, params.max_clips),
        licence="For research alone, by agreement with the BBC",
        attribution="Lip Reading in the Wild: Chung and Zisserman, 2016.",
    )
)
