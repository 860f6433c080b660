"""The commands `atvgnet fetch`."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from pipeline.runtime import paths

fetch = typer.Typer(no_args_is_help=True, help="Download a corpus, or check one that you downloaded.")


@fetch.command("grid")
def fetch_grid(
    speakers: Annotated[str, Option(help="Speakers to download, such as s1,s29. Default: all.")] = "",
    to: Annotated[Path | None, Option(help="Folder to write. Default: corpora.grid.root of params.yaml.")] = None,
    record: Annotated[str | None, Option(help="Address of the record at a mirror of Zenodo.")] = None,
) -> None:
    """Download GRID from Zenodo, check it and unpack it. Complete speakers are skipped.

    About 0.4 GB per speaker, 14 GB in all. After an interruption the same command continues. Archives are deleted after
    unpacking.
    """
    from pipeline.corpora.download import grid

    folder = to or _root("grid")
    names = [name.strip() for name in speakers.split(",")] if speakers else []
    grid.fetch_grid(folder, names, record or grid.RECORD)
    print(f"Now run: atvgnet use grid --root {shlex.quote(str(folder))} && dvc repro")


@fetch.command("lrw")
def fetch_lrw(
    to: Annotated[Path | None, Option(help="Folder of LRW. Default: corpora.lrw.root of params.yaml.")] = None,
) -> None:
    """Print where to apply for LRW. If it is unpacked already, check that it is complete."""
    from pipeline.corpora.base import Opening
    from pipeline.corpora.download.lrw import check_lrw
    from pipeline.corpora.lrw import Lrw, LrwParams

    folder = to or _root("lrw")
    for line in check_lrw(Lrw(LrwParams(), Opening(folder, "corpora.lrw")).root):
        print(line)
    print(f"Now run: atvgnet use lrw --root {shlex.quote(str(folder))} && dvc repro")


def _root(corpus: str) -> Path:
    """Return the root of the corpus in params.yaml."""
    from pipeline.config.file import load_params
    from pipeline.corpora.registry import open_corpus

    return open_corpus(replace(load_params(paths.PARAMS), corpus=corpus), paths.project_root()).root
