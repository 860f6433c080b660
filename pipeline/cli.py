"""The command line: what DVC's own commands do not do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipeline import paths
from pipeline.errors import PipelineError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except PipelineError as error:
        print(f"atvgnet: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


@app.command()
def generate(
    picture: Annotated[Path, typer.Option("-p", "--picture", help="A picture of a face.")],
    speech: Annotated[Path, typer.Option("-i", "--input", help="Speech: a sound file, or a video with sound.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The MP4 to write.")],
) -> None:
    """Make the face in a picture say the speech, with the models in models/."""
    with _clear_errors():
        from pipeline.config import load_params
        from pipeline.generate import generate as make
        from pipeline.talking_head import TalkingHead

        params = load_params(paths.PARAMS)
        head = TalkingHead.load(paths.ATNET, paths.VGNET, paths.LANDMARKS_MODEL)
        frames = make(head, picture, speech, out, params.mfcc.window)
        print(f"{out}: {frames} frames, {frames / 25:.2f} s")


@app.command()
def use(
    corpus: Annotated[str, typer.Argument(help="sample, grid, lrw or folder")],
    root: Annotated[Path | None, typer.Option(help="Where it lies.")] = None,
) -> None:
    """Choose the corpus in params.yaml; everything else in the file, comments too, stays as it is."""
    with _clear_errors():
        from pipeline.corpora.choose import choose_corpus

        for line in choose_corpus(paths.PARAMS, corpus, root):
            print(line)
        print("Now run: dvc repro")


@app.command()
def report() -> None:
    """Print the metrics of the last evaluation and what to open next."""
    with _clear_errors():
        from pipeline.report import print_report

        print_report(paths.REPORTS)
