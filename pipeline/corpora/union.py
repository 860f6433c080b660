"""Several corpora as one. Each keeps its own splits, so no identity is in two of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.config.params import Params
from pipeline.config.ranges import require
from pipeline.corpora.base import SPLITS, Clip, Corpus, CorpusEntry, OpenedCorpus, register
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing

NAME = "union"


@dataclass(frozen=True)
class UnionParams:
    """Several corpora as one."""

    of: tuple[str, ...] = ("sample",)
    """Their names, such as [grid, portraits]; each has its own section."""
    weights: tuple[float, ...] = ()
    """How often training draws from each, in the same order: 2 is twice as often as 1, whatever the number of clips.
    Empty: equally often."""
    evaluate_on: tuple[str, ...] = ()
    """The corpora that validate and test; all clips of the others train. Empty: all corpora."""

    def __post_init__(self) -> None:
        require(len(self.of) > 0, "of must name one corpus at least, such as [grid, portraits]")
        require(NAME not in self.of, "of must not name union itself")
        require(len(set(self.of)) == len(self.of), "of must not name a corpus twice")
        require(len(self.weights) in (0, len(self.of)), "weights must be empty, or as many as of has names")
        require(all(weight > 0 for weight in self.weights), "weights must be above 0")
        require(set(self.evaluate_on) <= set(self.of), "evaluate_on must name corpora that of names")


@dataclass(frozen=True)
class Union(OpenedCorpus):
    """The members' clips, with ids, speakers and paths that begin with the member's name.

    The root is a folder of links to the members' roots, so paths below it are the same on every machine.
    """

    params: UnionParams
    members: Mapping[str, Corpus] = field(default_factory=dict)

    def clips(self) -> list[Clip]:
        """All clips of all members, sorted by id."""
        united = []
        for name, corpus in self.members.items():
            home = self._link(name, corpus.root)
            evaluated = name in (self.params.evaluate_on or self.members)
            for clip in corpus.clips():
                speaker = f"{name}/{clip.speaker}" if clip.speaker else ""
                path = home / clip.path.relative_to(corpus.root)
                split = clip.split if evaluated else "train"
                united.append(replace(clip, id=f"{name}/{clip.id}", speaker=speaker, split=split, path=path))
        missing = [split for split in SPLITS if not any(clip.split == split for clip in united)]
        if missing:
            advice = "Name more corpora in corpora.union.evaluate_on."
            raise PipelineError(f"corpora.union: no clip is left for {missing[0]}. {advice}")
        return sorted(united, key=lambda clip: clip.id)

    def _link(self, name: str, root: Path) -> Path:
        """The link to a member's root, replaced if it leads elsewhere."""
        link = self.root / name
        if not (link.is_symlink() and link.readlink() == root):
            self.root.mkdir(parents=True, exist_ok=True)
            with replacing(link) as unfinished:
                unfinished.symlink_to(root, target_is_directory=True)
        return link


register(
    CorpusEntry(
        name=NAME,
        title="several corpora as one",
        layout="that of each",
        params=UnionParams,
        open=Union,
        licence="Those of its corpora",
        attribution="As its corpora ask.",
    )
)


def roots(corpus: Corpus) -> list[Path]:
    """The folders of the corpus's clips: several for a union."""
    members = corpus.members.values() if isinstance(corpus, Union) else [corpus]
    return [member.root for member in members]


def members_of(params: Params) -> tuple[str, ...]:
    """The names of the chosen corpora: one, or the members of the union."""
    if params.corpus != NAME:
        return (params.corpus,)
    return tuple(params.corpora[NAME]["of"])


def weights_of(params: Params) -> dict[str, float]:
    """How often training draws from each member of the union, by name; empty if the corpus is not a union."""
    if params.corpus != NAME:
        return {}
    names = members_of(params)
    return dict(zip(names, params.corpora[NAME]["weights"] or [1.0] * len(names), strict=True))
