"""The command line: what DVC's own commands do not do."""

import shlex
import sys
import time
from contextlib import redirect_stdout
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO, get_args

import typer

from pipeline.config.params import FaceRule
from pipeline.evaluation.commands import commands
from pipeline.export import export
from pipeline.runtime import cores, paths
from pipeline.runtime.clock import FPS
from pipeline.runtime.command import command
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.progress import progress_of

if TYPE_CHECKING:
    from pipeline.inference.settings import Settings
    from pipeline.inference.talking_head import TalkingHead

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
fetch = typer.Typer(no_args_is_help=True, help="Get a corpus.")
app.add_typer(fetch, name="fetch")
app.add_typer(export, name="export")
app.add_typer(commands)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"atvgnet {version('atvgnet')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """The command line: what DVC's own commands do not do."""


Precision = Literal["auto", "float32", "bfloat16"]


@app.command()
def generate(
    picture: Annotated[
        Path | None, typer.Option("-p", "--picture", help="A picture of a face, or a video to dub.")
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option("-i", "--input", help="Speech: a sound file, a video with sound, or - for a WAV from a pipe."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="The MP4 to write, as large as the picture, 25 frames per second; - writes as it goes.",
        ),
    ] = None,
    batch: Annotated[
        Path | None, typer.Option(help="In place of these three: a CSV with the columns picture, speech and out.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Rows of --batch at a time.")] = 1,
    models: Annotated[
        str | None,
        typer.Option(
            help="The bundle: a folder of models, such as models, which `dvc repro` trains, or models:/NAME@ALIAS of "
            "MLflow; those that ship with the project without it."
        ),
    ] = None,
    face: Annotated[
        str | None,
        typer.Option(
            help=f"Whose face, of several: {', '.join(get_args(FaceRule))}, or its number from the left; "
            "landmarks.face of the training without it."
        ),
    ] = None,
    strength: Annotated[float, typer.Option(help="How far the mouth opens, from 0 (not at all) to 3.")] = 1.0,
    blink: Annotated[
        bool | None,
        typer.Option("--blink/--no-blink", help="The eyes blink; without either, where VG-net learnt to close them."),
    ] = None,
    sway: Annotated[bool, typer.Option("--head", help="The head moves a little, too.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="By which it blinks and moves.")] = 0,
    crop: Annotated[bool, typer.Option("--crop", help="The face alone, of the models' size.")] = False,
    panels: Annotated[
        bool, typer.Option("--panels", help="Landmarks, attention, colour and result side by side.")
    ] = False,
    landmarks: Annotated[Path | None, typer.Option(help="A CSV to write the landmarks to.")] = None,
    video: Annotated[Path | None, typer.Option(help="In place of speech, a video whose face moves this one.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the MP4 that is there.")] = False,
    precision: Annotated[
        Precision, typer.Option(help="Of VG-net; auto is bfloat16 where the processor has it.")
    ] = "auto",
) -> None:
    """Make the face in a picture say the speech."""
    with command():
        from pipeline.inference.settings import Settings, parse_face

        which = None if face is None else parse_face(face)
        settings = Settings(which, strength, blink, sway, crop, panels, seed)
        said = sys.stderr if str(out) == "-" else sys.stdout  # which then is the video's
        if batch is not None:
            if picture or speech or out or landmarks or video:
                raise PipelineError("--batch has pictures, speech and outputs in its table: leave out -p, -i and -o.")
            _batch(_head(models, precision, said), batch, jobs, settings, overwrite)
            return
        if picture is None or out is None:
            raise PipelineError("Give a picture with -p, speech with -i and the output with -o, or all with --batch.")
        from pipeline.inference.generate import generate as make

        head = _head(models, precision, said)
        start = time.perf_counter()
        with redirect_stdout(said), progress_of("generate") as told:
            frames, (width, height), seconds = make(
                *(head, picture, speech, out, settings),
                drive=video,
                landmarks=landmarks,
                overwrite=overwrite,
                told=told,
            )
        took = time.perf_counter() - start
        summary = f"{frames} frames, {frames / FPS:.2f} s, {width}x{height} pixels"
        print(f"{out}: {summary}, {frames / FPS / took:.1f} times real time", file=said)
        print("of that " + ", ".join(f"{step} {share / took:.0%}" for step, share in seconds.items()), file=said)


def _batch(head: "TalkingHead", table: Path, jobs: int, settings: "Settings", overwrite: bool) -> None:
    from pipeline.inference.batch import generate_batch, results_of

    with progress_of("videos") as told:
        outcomes = generate_batch(head, table, jobs, settings, overwrite=overwrite, told=told)
    failed = [one for one in outcomes if one.state != "done"]
    print(f"{results_of(table)}: {len(outcomes) - len(failed)} videos, {len(failed)} failed")
    if failed:
        raise PipelineError(f"{len(failed)} of {len(outcomes)} rows failed, the first so: {failed[0].message}")


def _head(models: str | None, precision: Precision, said: TextIO) -> "TalkingHead":
    """The models, of which it is said what they have seen."""
    from pipeline.corpora.registry import seen_by
    from pipeline.inference.talking_head import TalkingHead

    head = TalkingHead.from_pretrained(models, precision)
    print(f"{'' if models else 'pretrained '}{seen_by(head.card)}", file=said, flush=True)
    return head


@app.command()
def personalize(
    video: Annotated[list[Path], typer.Option(help="Video of one person who speaks, or a folder of such; repeatable.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of the bundle to write.")],
    minutes: Annotated[float, typer.Option(min=1.0, help="The time it may take, about.")] = 15.0,
    models: Annotated[
        str | None,
        typer.Option(
            help="The bundle to start from: a folder, or models:/NAME@ALIAS of MLflow; those that ship without it."
        ),
    ] = None,
) -> None:
    """Fine-tune models to one person's face and voice, and show the result on seconds held out.

    A network that is not better stays as it was. Killed, the same command goes on where it was.
    """
    with command():
        from pipeline.inference.loading import bundle_folder
        from pipeline.personalize.personalize import personalize as make
        from pipeline.personalize.report import print_report

        print_report(make(video, bundle_folder(models), out, minutes, cores.jobs()), out)


@app.command("app")
def serve_page(
    models: Annotated[
        list[str] | None,
        typer.Option(help="Another bundle to choose: a folder, or models:/NAME@ALIAS of MLflow; repeatable."),
    ] = None,
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines open it, too.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long speech may last.")] = 60.0,
    jobs: Annotated[int, typer.Option(min=1, help="Videos generated at a time; others wait.")] = 1,
) -> None:
    """Serve a page that makes the face in a picture say speech: upload, record, generate, in a browser."""
    with command():
        from pipeline.app.serve import serve

        serve(models or [], host, port, seconds, jobs)


@app.command()
def use(
    corpus: Annotated[str, typer.Argument(help="Its name, such as sample or grid; a wrong one names all.")],
    root: Annotated[Path | None, typer.Option(help="Where it lies.")] = None,
) -> None:
    """Choose the corpus in params.yaml; everything else in the file, comments too, stays as it is."""
    with command():
        from pipeline.corpora.choose import choose_corpus

        for line in choose_corpus(paths.PARAMS, corpus, root):
            print(line)
        print("Now run: dvc repro")


@fetch.command("grid")
def fetch_grid(
    speakers: Annotated[str, typer.Option(help="Such as s1,s29; all of them without it.")] = "",
    to: Annotated[Path | None, typer.Option(help="The folder; corpora.grid.root of params.yaml without it.")] = None,
    record: Annotated[str | None, typer.Option(help="The Zenodo record's address at a mirror.")] = None,
) -> None:
    """Download GRID from Zenodo, check it and unpack it; goes on where it was, and leaves alone what is there.

    About 0.4 GB a speaker, 14 GB in all. The archives are deleted once they are unpacked.
    """
    with command():
        from pipeline.corpora.download import grid

        folder = to or _root("grid")
        names = [one.strip() for one in speakers.split(",")] if speakers else []
        grid.fetch_grid(folder, names, record or grid.RECORD)
        print(f"Now run: atvgnet use grid --root {shlex.quote(str(folder))} && dvc repro")


@fetch.command("lrw")
def fetch_lrw(
    to: Annotated[Path | None, typer.Option(help="The folder; corpora.lrw.root of params.yaml without it.")] = None,
) -> None:
    """Say where to apply for LRW, or, where it is unpacked, whether it is whole."""
    with command():
        from pipeline.corpora.download.lrw import check_lrw
        from pipeline.corpora.lrw import Lrw

        folder = to or _root("lrw")
        for line in check_lrw(Lrw(folder, "corpora.lrw", seed=0).root):
            print(line)
        print(f"Now run: atvgnet use lrw --root {shlex.quote(str(folder))} && dvc repro")


def _root(corpus: str) -> Path:
    """Where params.yaml says that the corpus lies."""
    from pipeline.config.file import load_params
    from pipeline.corpora.registry import open_corpus

    return open_corpus(replace(load_params(paths.PARAMS), corpus=corpus), paths.project_root()).root


@app.command("import-upstream")
def import_published(
    basics: Annotated[
        Path | None, typer.Option(help="The folder basics of the original's repository; the first time alone.")
    ] = None,
    atnet: Annotated[Path | None, typer.Option(help="Its AT-net, atnet_lstm_18.pth.")] = None,
    vgnet: Annotated[Path | None, typer.Option(help="Its VG-net, generator_23.pth.")] = None,
    to: Annotated[Path, typer.Option(help="The folder of models to write.")] = paths.PUBLISHED,
) -> None:
    """Turn the weights that the paper's authors published into model files, with the preprocessing they need."""
    with command():
        from pipeline.inference.published.import_weights import import_published as convert

        for line in convert(atnet, vgnet, basics, to):
            print(line)


@app.command("params")
def print_params() -> None:
    """Print params.yaml as JSON, once it is checked: what a machine without this environment trains by."""
    with command():
        from pipeline.config.file import dump_params, load_params
        from pipeline.corpora.registry import check_corpora

        params = load_params(paths.PARAMS)
        check_corpora(params)
        print(dump_params(params))
