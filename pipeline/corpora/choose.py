"""Choose the corpus in params.yaml and leave the rest of the file alone."""

from dataclasses import replace
from pathlib import Path

from pipeline.config.file import load_params
from pipeline.corpora.base import files_below
from pipeline.corpora.layout import PICTURES
from pipeline.corpora.registry import check_corpora, check_root, find_corpus, open_corpus
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath


def choose_corpus(path: StrPath, corpus: str, root: StrPath | None) -> list[str]:
    """Set ``corpus`` and, if ``root`` is given, ``corpora.CORPUS.root``; comments and order of the file stay.

    Returns a line for every changed key. Raises PipelineError, and leaves the file, if the corpus is unknown or has no
    root, the root does not hold the corpus, or the file is invalid.
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
        params = replace(params, corpus=corpus, corpora=corpora)
        check_root(params, path.resolve().parent)
        if not entry.made:
            open_corpus(params, path.resolve().parent).clips()  # raises an error for a wrong folder
        elif next(files_below(root, PICTURES), None) is None:
            fault = f"corpora.{corpus}.root: no picture ({', '.join(PICTURES)}) in {root}"
            raise PipelineError(fault, advice="Give a folder of photographs.")
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
