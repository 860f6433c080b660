"""The registry of corpora: which there are, their params, and the one that is chosen.

A corpus is a module that calls `register`, a line here, and a section of params.yaml (docs/extending.md).
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pipeline.corpora.folder
import pipeline.corpora.grid
import pipeline.corpora.lrw
import pipeline.corpora.portraits
import pipeline.corpora.synthetic.corpus  # noqa: F401
from pipeline.config.file import advice, build, guess
from pipeline.config.params import Params
from pipeline.corpora import union
from pipeline.corpora.base import CORPORA, Corpus, CorpusEntry, Opening, register
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import lies_in
from pipeline.runtime.paths import StrPath


def _unite(params: union.UnionParams, opening: Opening) -> Corpus:
    """Without its members, which `open_corpus` gives it."""
    return union.Union(opening.root, {}, params.evaluate_on)


register(
    CorpusEntry(
        name=union.NAME,
        title="several corpora as one",
        layout="that of each",
        params=union.UnionParams,
        open=_unite,
        licence="Those of its corpora",
        attribution="As its corpora ask.",
    )
)


def find_corpus(name: str, key: str = "corpus") -> CorpusEntry:
    """The entry of a corpus, which the param ``key`` names; PipelineError names those there are."""
    if name not in CORPORA:
        known = sorted(CORPORA)
        raise PipelineError(f"{key} is {name!r}; it must be one of {', '.join(known)}. {guess(name, known)}".rstrip())
    return CORPORA[name]


def corpus_params(params: Params, name: str) -> Any:
    """The section of a corpus as its dataclass; PipelineError names a key that is missing, unknown or wrong."""
    if name not in params.corpora:
        raise PipelineError(f"corpora.{name} is missing from params.yaml. Add the section; see docs/corpora.md.")
    return build(find_corpus(name).params, params.corpora[name], f"corpora.{name}")


def check_corpora(params: Params) -> None:
    """PipelineError for a corpus that does not exist, and for a wrong key in any corpus's section."""
    find_corpus(params.corpus)
    for name in params.corpora:
        if name not in CORPORA:
            raise PipelineError(f"corpora.{name} is not a param. {advice(name, sorted(CORPORA))}")
        corpus_params(params, name)
    corpus_params(params, params.corpus)
    for member in union.members_of(params):
        find_corpus(member, "a name in corpora.union.of" if params.corpus == union.NAME else "corpus")
        corpus_params(params, member)


def open_corpus(params: Params, project: StrPath) -> Corpus:
    """The corpus that ``params.corpus`` names; its root, where relative, is below ``project``.

    Nothing is read before ``clips()``.
    """
    entry = find_corpus(params.corpus)
    section = corpus_params(params, params.corpus)
    key, extract = f"corpora.{params.corpus}", params.extract
    root = _root(params, params.corpus, project)
    opened = entry.open(section, Opening(root, key, params.seed, extract.min_frames, extract.time_limit))
    if not isinstance(opened, union.Union):
        return opened
    members = {name: open_corpus(replace(params, corpus=name), project) for name in union.members_of(params)}
    return replace(opened, members=members)


def _root(params: Params, name: str, project: StrPath) -> Path:
    """The folder that a corpus's section names; for one without, where its own files may lie."""
    if name == union.NAME:
        return paths.resume_folder(union.NAME)
    if not find_corpus(name).has_root:
        return Path(project)
    return Path(project, Path(corpus_params(params, name).root).expanduser()).absolute()


def seen_by(card: Mapping[str, Any]) -> str:
    """What models with this card (`pipeline.bundles.bundle`) were trained on, in a line for whoever uses them."""
    corpus = card.get("trained_on", {}).get("corpus")
    if corpus is None:
        return "models: no card of theirs says what they were trained on."
    seen = card.get("seen") or (CORPORA[corpus].seen if corpus in CORPORA else "")
    trained = f"corpora {corpus.replace('+', ', ')}" if "+" in corpus else f"corpus {corpus}"
    return f"models: trained on the {trained}. {seen}".rstrip()


def check_root(params: Params, project: StrPath) -> None:
    """PipelineError for a root that lies in what the stages write, or, with the corpora `folder` and `portraits`, that
    has it inside: videos that were made would become clips, and DVC removes outs before it makes them again.
    """
    for name in union.members_of(params):
        if not find_corpus(name).has_root:
            continue
        root, key = _root(params, name, project), f"corpora.{name}.root"
        for out in (Path(project, one) for one in paths.OUTS):
            if lies_in(root, out) or (name in ("folder", "portraits") and lies_in(out, root)):
                raise PipelineError(
                    f"{key}: {root} and {out}, which the stages write, overlap. Give clips a folder apart."
                )


def default_sections() -> dict[str, dict[str, Any]]:
    """Every corpus's section with its defaults."""
    return {name: {one.name: one.default for one in fields(entry.params)} for name, entry in CORPORA.items()}


def terms(params: Params) -> tuple[str, str]:
    """Licence and attribution of the chosen corpus; of a union those of each member."""
    entries = [find_corpus(name) for name in union.members_of(params)]
    if len(entries) == 1:
        return entries[0].licence, entries[0].attribution
    return "; ".join(f"{one.name}: {one.licence}" for one in entries), " ".join(one.attribution for one in entries)
