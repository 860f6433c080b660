"""Choose the corpus in params.yaml and leave the rest of the file alone."""

from dataclasses import replace
from pathlib import Path

from pipeline.config.file import load_params
from pipeline.config.params import Params
from pipeline.corpora.base import files_below
from pipeline.corpora.layout import PICTURES
from pipeline.corpora.registry import check_corpora, check_root, corpus_root, find_corpus, open_corpus
from pipeline.corpora.union import NAME, members_of
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath


def choose_corpus(path: StrPath, corpus: str, root: StrPath | None) -> list[str]:
    """Set ``corpus`` and, if ``root`` is given, ``corpora.CORPUS.root``; comments and order of the file stay.

    Returns a line for every changed key. Raises PipelineError, and leaves the file, if the corpus is unknown or has no
    root, the file is invalid, or the corpus is not at its root, whether that is given or in the file.
    """
    from ruamel.yaml import YAML

    path, root = Path(path), None if root is None else Path(root)
    entry = find_corpus(corpus)
    if root is not None and not entry.has_root:
        raise PipelineError(f"The {corpus} corpus has no root of its own. Leave --root out.")
    if root is not None and not root.is_dir():
        advice = f"With --root, give the folder of the files of the corpus {corpus}."
        raise PipelineError("is not a folder", subject=root, advice=advice)
    params = load_params(path)  # before any change, to reject an invalid file
    check_corpora(params)
    if root is not None:
        corpora = {**params.corpora, corpus: {**params.corpora.get(corpus, {}), "root": str(root.resolve())}}
        params = replace(params, corpora=corpora)
    _check_files(replace(params, corpus=corpus), path.resolve().parent)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    tree = yaml.load(path.read_text(encoding="utf-8"))
    changed = []
    if tree["corpus"] != corpus:
        changed.append(f"corpus: {tree['corpus']} -> {corpus}")
        tree["corpus"] = corpus
    if root is not None:
        section, resolved = tree["corpora"][corpus], str(root.resolve())
        if section["root"] != resolved:
            changed.append(f"corpora.{corpus}.root: {section['root']} -> {resolved}")
            section["root"] = resolved
    if changed:
        with replacing(path.resolve()) as temporary, temporary.open("w", encoding="utf-8") as file:
            yaml.dump(tree, file)
    return changed or [f"{path} already says so."]


def _check_files(params: Params, project: Path) -> None:
    """Raise PipelineError unless the files of the chosen corpus, or of every member of a union, are there."""
    check_root(params, project)
    for name in members_of(params):
        entry = find_corpus(name)
        if not entry.has_root:
            continue
        root = corpus_root(params, name, project)
        if not root.is_dir():
            key = f"corpora.{name}.root"
            advice = f"Set {key} in params.yaml." if params.corpus == NAME else f"Run: atvgnet use {name} --root FOLDER"
            raise PipelineError(f"{key}: {root} is not a folder", advice=advice)
        if not entry.made:
            open_corpus(replace(params, corpus=name), project).clips()  # raises an error for a wrong folder
        elif next(files_below(root, PICTURES), None) is None:
            fault = f"corpora.{name}.root: no picture ({', '.join(PICTURES)}) in {root}"
            raise PipelineError(fault, advice="Give a folder of photographs.")
