"""Lip Reading in the Wild (Chung and Zisserman, 2016): one word per clip, with its own split."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pipeline.config.ranges import Range, Section
from pipeline.corpora.base import SPLITS, Clip, CorpusEntry, OpenedCorpus, Split, need_folder, register
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
class Lrw(OpenedCorpus):
    """LRW's layout: ``lipread_mp4/WORD/{train,val,test}/WORD_NNNNN.mp4``. The text is the word; no speaker is known."""

    params: LrwParams

    @property
    def root(self) -> Path:
        """The folder of the words: the opened folder, or ``lipread_mp4`` up to three levels below it."""
        base = self.opening.root
        if not base.exists() or _is_word(base) or any(map(_is_word, subfolders(base))):
            return base
        for level in levels(base):
            for folder in level:
                if folder.name.lower() == _FOLDER or any(map(_is_word, subfolders(folder))):
                    return folder
        return base

    def clips(self) -> list[Clip]:
        """All clips of the chosen words, or a sample of them with LRW's shares of the splits, even over the words."""
        files = self._files()
        counts = dict.fromkeys(SPLITS, 0)  # 0: all
        wanted, key = self.params.max_clips, self.opening.key
        if wanted:
            total = sum(map(len, files.values()))
            counts.update({split: max(1, round(wanted * len(files[split]) / total)) for split in ("val", "test")})
            counts["train"] = wanted - counts["val"] - counts["test"]
            if counts["train"] < 1:
                raise PipelineError(f"{key}.max_clips = {wanted} leaves no clip for train. Raise it, or set it to 0.")
        clips = [
            Clip(clip, "", split, _word(clip), files[split][clip])
            for split in SPLITS
            for clip in draw(files[split], counts[split], seed=self.opening.seed, group=_word)
        ]
        return sorted(clips, key=lambda clip: clip.id)

    def _files(self) -> dict[Split, dict[str, Path]]:
        """Every clip's file by split and id."""
        base, key = self.opening.root, self.opening.key
        advice = f"Unpack LRW there (`atvgnet fetch lrw` says where to apply for it), or set {key}.root to its folder."
        need_folder(base, f"{key}.root", advice)
        root = self.root
        folders = {folder.name.lower(): folder for folder in subfolders(root)}
        files: dict[Split, dict[str, Path]] = {split: {} for split in SPLITS}
        unknown = [word for word in self.params.words if word.lower() not in folders]
        if unknown:
            fault = f"{key}.words: no folder {unknown[0]} in {root}, which holds {contents(root)}"
            raise PipelineError(f"{fault}. Name some of these words.")
        for word in dict.fromkeys(map(str.lower, self.params.words or folders)):
            places = {folder.name.lower(): folder for folder in subfolders(folders[word])}
            for split in SPLITS:
                for path in map(Path, os.scandir(places[split]) if split in places else ()):
                    if path.suffix.lower() in VIDEOS and not path.name.startswith("."):
                        files[split][f"{folders[word].name}/{split}/{path.stem}"] = path
        if not any(files.values()):
            if _is_word(base):
                advice = f"That is the folder of one word: set {key}.root to {base.parent}."
            fault = f"no clip such as ABOUT/train/ABOUT_00001.mp4 in {root}, which holds {contents(root)}"
            raise PipelineError(f"{key}.root: {fault}. {advice}")
        for split in SPLITS:
            if not files[split]:
                raise PipelineError(f"{key}: no clip in {split}. Take more words ({key}.words) or complete the corpus.")
        return files


def _is_word(folder: Path) -> bool:
    """Whether a folder has splits with videos in them."""
    splits = (subfolder for subfolder in subfolders(folder) if subfolder.name.lower() in SPLITS)
    return any(entry.name.lower().endswith(VIDEOS) for split in splits for entry in os.scandir(split))


def _word(clip: str) -> str:
    return clip.split("/")[0]


register(
    CorpusEntry(
        name="lrw",
        title="Lip Reading in the Wild",
        layout="`lipread_mp4/WORD/{train,val,test}/WORD_NNNNN.mp4`",
        params=LrwParams,
        open=Lrw,
        licence="For research alone, by agreement with the BBC",
        attribution="Lip Reading in the Wild: Chung and Zisserman, 2016.",
    )
)
