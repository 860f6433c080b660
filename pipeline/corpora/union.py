"""Several corpora as one, from which one model learns; each keeps its own splits, so no identity crosses them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.config.params import Params
from pipeline.config.ranges import require
from pipeline.corpora.base import SPLITS, Clip, Corpus
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import writing

NAME = "union"


@dataclass(frozen=True)
class UnionParams:
    """Several corpora as one."""

    of: tuple[str, ...] = ("sample",)
    """Their names, such as [grid, portraits]; each has its own section."""
    weights: tuple[float, ...] = ()
    """How often training draws from each, in the same order: 2 draws twice as often as 1, whatever the number of clips;
    empty: all alike."""
    evaluate_on: tuple[str, ...] = ()
    """Those whose clips validate and test; of the others all train. Empty: all."""

    def __post_init__(self) -> None:
        require(len(self.of) > 0, "of must name one corpus at least, such as [grid, portraits]")
        require(NAME not in self.of, "of must not name union itself")
        require(len(set(self.of)) == len(self.of), "of must not name a corpus twice")
        require(len(self.weights) in (0, len(self.of)), "weights must be empty, or as many as of has names")
        require(all(weight > 0 for weight in self.weights), "weights must be above 0")
        require(set(self.evaluate_on) <= set(self.of), "evaluate_on must name corpora that of names")


@dataclass(frozen=True)
class Union:
    """The members' clips, with ids, speakers and paths that begin with the member's name."""

    root: Path
    """A folder of links to the members' roots, so that paths below it are the same on every machine."""
    members: Mapping[str, Corpus]
    evaluate_on: Sequence[str]

    def clips(self) -> list[Clip]:
        """All clips of all members, sorted by id."""
        found = []
        for name, corpus in self.members.items():
            home = self._linked(name, corpus.root)
            evaluated = name in (self.evaluate_on or self.members)
            found += [
                replace(
                    clip,
                    id=f"{name}/{clip.id}",
                    speaker=f"{name}/{clip.speaker}" if clip.speaker else "",
                    split=clip.split if evaluated else "train",
                    path=home / clip.path.relative_to(corpus.root),
                )
                for clip in corpus.clips()
            ]
        missing = [split for split in SPLITS if not any(clip.split == split for clip in found)]
        if missing:
            raise PipelineError(
                f"corpora.union: no clip is left for {missing[0]}. Name more corpora in corpora.union.evaluate_on."
            )
        return sorted(found, key=lambda clip: clip.id)

    def _linked(self, name: str, root: Path) -> Path:
        """The link to a member's root; made again where it leads elsewhere."""
        link = self.root / name
        if not (link.is_symlink() and Path(os.readlink(link)) == root):
            self.root.mkdir(parents=True, exist_ok=True)
            with writing(self.root) as unfinished:
                unfinished.symlink_to(root, target_is_directory=True)
                unfinished.replace(link)
        return link


def roots(corpus: Corpus) -> list[Path]:
    """The folders that its clips lie in."""
    members = corpus.members.values() if isinstance(corpus, Union) else [corpus]
    return [member.root for member in members]


def members_of(params: Params) -> tuple[str, ...]:
    """The corpora that the chosen one consists of: itself, or those of the union."""
    if params.corpus != NAME:
        return (params.corpus,)
    return tuple(params.corpora[NAME]["of"])


def weights_of(params: Params) -> dict[str, float]:
    """How often training draws from each member of the union, by name; empty where the corpus is none, or all weigh
    by their number of clips.
    """
    if params.corpus != NAME:
        return {}
    names = members_of(params)
    return dict(zip(names, params.corpora[NAME]["weights"] or [1.0] * len(names), strict=True))
