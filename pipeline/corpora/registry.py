"""All corpora, their params, and the one that params.yaml chooses.

To add a corpus, write a module that calls `register`, import it here, and add its section to params.yaml
(docs/extending.md).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pipeline.corpora.folder
import pipeline.corpora.grid
import pipeline.corpora.lrw
import pipeline.corpora.portraits
import pipeline.corpora.sample  # noqa: F401
from pipeline.config.file import advice, build, guess
from pipeline.config.params import Params
from pipeline.corpora import union
from pipeline.corpora.base import CORPORA, Corpus, CorpusEntry, Opening
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import lies_in
from pipeline.runtime.paths import StrPath


def find_corpus(name: str, key: str = "corpus") -> CorpusEntry:
    """The entry of the corpus ``name``, the value of the param ``key``; PipelineError lists the known ones."""
    if name not in CORPORA:
        known = sorted(CORPORA)
        raise PipelineError(f"{key} is {name!r}; it must be one of {', '.join(known)}. {guess(name, known)}".rstrip())
    return CORPORA[name]


def corpus_params(params: Params, name: str) -> Any:
    """The section of a corpus as its dataclass; PipelineError names a missing, unknown or wrong key."""
    if name not in params.corpora:
        raise PipelineError(f"corpora.{name} is missing from params.yaml. Add the section; see docs/corpora.md.")
    return build(find_corpus(name).params, params.corpora[name], f"corpora.{name}")


def check_corpora(params: Params) -> None:
    """Raise PipelineError for an unknown corpus and for a wrong key in any corpus's section."""
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
    """The chosen corpus. A relative root is below ``project``; nothing is read before ``clips()``."""
    name, extract = params.corpus, params.extract
    root, section = corpus_root(params, name, project), corpus_params(params, name)
    opening = Opening(root, f"corpora.{name}", params.seed, extract.min_frames, extract.time_limit)
    opened = find_corpus(name).open(section, opening)
    if not isinstance(opened, union.Union):
        return opened
    members = {member: open_corpus(replace(params, corpus=member), project) for member in union.members_of(params)}
    return replace(opened, members=members)


def corpus_root(params: Params, name: str, project: StrPath) -> Path:
    """The folder that a corpus's section names, or a default for corpora without a root."""
    if name == union.NAME:
        return paths.resume_folder(union.NAME)
    if not find_corpus(name).has_root:
        return Path(project)
    return Path(project, Path(corpus_params(params, name).root).expanduser()).absolute()


def training_note(card: Mapping[str, Any]) -> str:
    """A line for users of models with this card (`pipeline.bundles.bundle`): their corpus and its limits."""
    corpus = card.get("trained_on", {}).get("corpus")
    if corpus is None:
        return "models: no card of theirs says what they were trained on."
    caveat = card.get("seen") or (CORPORA[corpus].caveat if corpus in CORPORA else "")
    trained = f"corpora {corpus.replace('+', ', ')}" if "+" in corpus else f"corpus {corpus}"
    return f"models: trained on the {trained}. {caveat}".rstrip()


def check_root(params: Params, project: StrPath) -> None:
    """Raise PipelineError if a root lies inside a stage's out, because DVC deletes outs before it makes them again.

    A root of `folder` or `portraits` must not contain an out either, because generated videos would become clips.
    """
    for name in union.members_of(params):
        if not find_corpus(name).has_root:
            continue
        root = corpus_root(params, name, project)
        for out in (Path(project, folder) for folder in paths.OUTS):
            if lies_in(root, out) or (name in ("folder", "portraits") and lies_in(out, root)):
                fault = f"corpora.{name}.root: {root} and {out}, which the stages write, overlap"
                raise PipelineError(f"{fault}. Give clips a folder apart.")


def terms(params: Params) -> tuple[str, str]:
    """Licence and attribution of the chosen corpus, or of every member of a union."""
    entries = [find_corpus(name) for name in union.members_of(params)]
    if len(entries) == 1:
        return entries[0].licence, entries[0].attribution
    licences = "; ".join(f"{entry.name}: {entry.licence}" for entry in entries)
    return licences, " ".join(entry.attribution for entry in entries)
