"""Choosing the corpus in params.yaml without touching anything else in it."""

from pathlib import Path
from typing import get_args

from pipeline.config.file import load_params
from pipeline.config.params import CorpusName
from pipeline.runtime.errors import PipelineError


def choose_corpus(path: Path, corpus: str, root: Path | None) -> list[str]:
    """Set ``corpus``, and with ``root`` also ``corpora.CORPUS.root``, in the params file; comments and order stay.

    Returns a line for every key that changed. Raises PipelineError for an unknown corpus, a root for ``sample`` (which
    has none), a root that is not a folder, and a params file that is wrong; the file is then as it was.
    """
    from ruamel.yaml import YAML

    known = get_args(CorpusName)
    if corpus not in known:
        raise PipelineError(f"{corpus!r} is not a corpus. Choose one of {', '.join(known)}.")
    if root is not None and corpus == "sample":
        raise PipelineError("The sample corpus is made by the project and has no root. Leave --root out.")
    if root is not None and not root.is_dir():
        raise PipelineError(f"{root} is not a folder. Give the folder the {corpus} corpus lies in with --root.")
    load_params(path)  # a file that is wrong is not touched
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
        temporary = path.with_name(f".{path.name}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            yaml.dump(tree, file)
        temporary.replace(path)
    return changed or [f"{path} already says so."]
