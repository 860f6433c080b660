"""Choosing the corpus in params.yaml without touching anything else in it."""

from dataclasses import replace
from pathlib import Path

from pipeline.config.file import load_params
from pipeline.corpora.base import files_below
from pipeline.corpora.registry import check_corpora, check_root, find_corpus, open_corpus
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath


def choose_corpus(path: StrPath, corpus: str, root: StrPath | None) -> list[str]:
    """Set ``corpus``, and with ``root`` also ``corpora.CORPUS.root``, in the params file; comments and order stay.

    Returns a line for every key that changed. Raises PipelineError for an unknown corpus, a root for one that has
    none, a root that is not a folder or does not hold the corpus, and a params file that is wrong; the file is then as
    it was.
    """
    from ruamel.yaml import YAML

    from pipeline.corpora.synthetic.portraits import PICTURES  # needs the voices, which only the stages have

    path, root = Path(path), None if root is None else Path(root)
    entry = find_corpus(corpus)
    if root is not None and not entry.has_root:
        raise PipelineError(f"The {corpus} corpus has no root of its own. Leave --root out.")
    if root is not None and not root.is_dir():
        raise PipelineError(
            f"{root} is not a folder. With --root, give the folder of the files of the corpus {corpus}."
        )
    params = load_params(path)  # a file that is wrong is not touched
    check_corpora(params)
    if root is not None:
        corpora = {**params.corpora, corpus: {**params.corpora.get(corpus, {}), "root": str(root.resolve())}}
        params = replace(params, corpus=corpus, corpora=corpora)
        check_root(params, path.resolve().parent)
        if not entry.made:
            open_corpus(params, path.resolve().parent).clips()  # it says what is not as it should be
        elif next(files_below(root, PICTURES), None) is None:
            raise PipelineError(
                f"corpora.{corpus}.root: no picture ({', '.join(PICTURES)}) in {root}. Give a folder of photographs."
            )
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
