"""Lip Reading in the Wild (Chung and Zisserman, 2016): one word per clip, with its own split."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pipeline.config.params import require
from pipeline.corpora.base import SPLITS, Clip, CorpusEntry, Split, need_folder, register
from pipeline.corpora.split import draw
from pipeline.runtime.errors import PipelineError

_FOLDER = "lipread_mp4"


@dataclass(frozen=True)
class LrwParams:
    """Lip Reading in the Wild, as its archives unpack; it brings its own split."""

    root: str = "data/raw/lrw"
    """The folder that holds lipread_mp4, or that folder itself."""
    words: tuple[str, ...] = ()
    """Only these words; empty: all."""
    max_clips: int = 0
    """At most so many clips, drawn evenly over the words; 0: all."""

    def __post_init__(self) -> None:
        require(self.max_clips >= 0, "max_clips must be 0 (all) or more")


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
        """The folder of the words."""
        return self.base / _FOLDER if (self.base / _FOLDER).is_dir() else self.base

    def clips(self) -> list[Clip]:
        """All clips, or those of ``words``; at most ``max_clips``, in the splits' shares and even over the words."""
        ids = self._ids()
        counts = self._counts({split: len(ids[split]) for split in SPLITS})
        chosen = [one for split in SPLITS for one in draw(ids[split], counts[split], seed=self.seed, group=_word)]
        root = self.root
        return [
            Clip(one, "", cast(Split, one.split("/")[1]), _word(one), root / f"{one}.mp4") for one in sorted(chosen)
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

    def _ids(self) -> dict[str, list[str]]:
        advice = (
            f"Unpack LRW there (`atvgnet fetch lrw` says where to apply for it), or set {self.key}.root to its folder."
        )
        need_folder(self.base, f"{self.key}.root", advice)
        folders = {one.name: Path(one) for one in os.scandir(self.root) if one.is_dir()}
        unknown = [word for word in self.words if word not in folders]
        if unknown:
            raise PipelineError(
                f"{self.key}.words: no folder {unknown[0]} in {self.root}. Words are in capitals: ABOUT."
            )
        found: dict[str, list[str]] = defaultdict(list)
        for word in self.words or folders:
            for split in SPLITS:
                folder = folders[word] / split
                names = os.listdir(folder) if folder.is_dir() else []
                found[split] += [f"{word}/{split}/{name[:-4]}" for name in names if _is_clip(name)]
        if not any(found.values()):
            raise PipelineError(
                f"{self.key}.root: no clip such as ABOUT/train/ABOUT_00001.mp4 in {self.root}. {advice}"
            )
        for split in SPLITS:
            if not found[split]:
                raise PipelineError(
                    f"{self.key}: no clip in {split}. Take more words ({self.key}.words) or complete the corpus."
                )
        return found


def _is_clip(name: str) -> bool:
    return name.endswith(".mp4") and not name.startswith(".")


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
