"""The command line. DVC runs the stages; these commands do the rest."""

import os
import sys
import time
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, get_args

import typer

from pipeline.config.params import FaceRule
from pipeline.evaluation.commands import commands
from pipeline.export import export
from pipeline.fetch import fetch
from pipeline.models.place import check_named, check_no_bundle
from pipeline.personalize.videos import find_videos
from pipeline.runtime import machine, paths
from pipeline.runtime.clock import FPS
from pipeline.runtime.command import command
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.machine import Precision
from pipeline.runtime.progress import progress_of

if TYPE_CHECKING:
    from pipeline.inference.settings import Settings
    from pipeline.inference.talking_head import TalkingHead

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)
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
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Make the face in a picture speak. Also: choose corpora, evaluate, export and personalize models."""


@app.command()
def generate(
    picture: Annotated[
        Path | None, typer.Option("-p", "--picture", help="The picture of a face, or a video to dub.")
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option("-i", "--input", help="The speech: a sound file, a video with sound, or - for a WAV from a pipe."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="The MP4 to write: 25 frames per second, as large as the picture. - writes it to a pipe.",
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(help="A CSV of many videos, with columns picture, speech and out, instead of -p, -i and -o."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Rows of --batch to work on at a time.")] = 1,
    models: Annotated[
        str | None,
        typer.Option(
            help="A bundle of models: a folder, such as models after `dvc repro`, or models:/NAME@ALIAS of MLflow. "
            "Default: the models that ship with the project."
        ),
    ] = None,
    face: Annotated[
        str | None,
        typer.Option(
            help=f"Which of several faces speaks: {', '.join(get_args(FaceRule))}, or a number, counted from the left. "
            "Default: landmarks.face of the models' training."
        ),
    ] = None,
    strength: Annotated[float, typer.Option(help="How far the mouth opens, from 0 (not at all) to 3.")] = 1.0,
    blink: Annotated[
        bool | None,
        typer.Option("--blink/--no-blink", help="Whether the eyes blink. Default: if VG-net learnt to close them."),
    ] = None,
    sway: Annotated[bool, typer.Option("--head", help="Also move the head a little.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Random seed for blinks and head motion.")] = 0,
    crop: Annotated[bool, typer.Option("--crop", help="Write only the face, in the models' size.")] = False,
    panels: Annotated[
        bool, typer.Option("--panels", help="Show landmarks, attention, colour and result side by side.")
    ] = False,
    landmarks: Annotated[Path | None, typer.Option(help="Also write the landmarks to this CSV.")] = None,
    video: Annotated[Path | None, typer.Option(help="A video whose face moves this one, instead of -i.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    precision: Annotated[
        Precision,
        typer.Option(
            metavar="TYPE",
            help="Number format of VG-net: float32, bfloat16, or auto, which takes bfloat16 where it is supported.",
        ),
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
            from pipeline.inference.batch import check_table

            check_named(models)
            check_table(batch)
            _batch(_head(models, precision, said), batch, jobs, settings, overwrite)
            return
        if picture is None or out is None:
            raise PipelineError("Give a picture with -p, speech with -i and the output with -o, or all with --batch.")
        from pipeline.inference.checks import check_request

        check_named(models)
        check_request(picture, speech, out, drive=video, landmarks=landmarks, overwrite=overwrite)
        from pipeline.inference.generate import generate as make  # which loads torch

        head = _head(models, precision, said)
        start = time.perf_counter()
        with redirect_stdout(said), progress_of("generate") as on_progress:
            frames, (width, height), seconds = make(
                *(head, picture, speech, out, settings),
                drive=video,
                landmarks=landmarks,
                overwrite=overwrite,
                on_progress=on_progress,
            )
        took = time.perf_counter() - start
        name = "standard output" if str(out) == "-" else out
        print(f"{name}: {frames} frames, {frames / FPS:.2f} s, {width}x{height} pixels", file=said)
        shares = ", ".join(f"{step} {share / took:.0%}" for step, share in seconds.items())
        print(f"took {took:.1f} s: {shares}", file=said)


def _batch(head: "TalkingHead", table: Path, jobs: int, settings: "Settings", overwrite: bool) -> None:
    from pipeline.inference.batch import generate_batch, results_of

    with progress_of("videos") as on_progress:
        outcomes = generate_batch(head, table, jobs, settings, overwrite=overwrite, on_progress=on_progress)
    failed = [one for one in outcomes if one.state != "done"]
    print(f"{results_of(table)}: {len(outcomes) - len(failed)} videos, {len(failed)} failed")
    if failed:
        raise PipelineError(f"{len(failed)} of {len(outcomes)} rows failed, the first so: {failed[0].message}")


def _head(models: str | None, precision: Precision, said: TextIO) -> "TalkingHead":
    """Load the models, and print which they are."""
    from pipeline.corpora.registry import seen_by
    from pipeline.inference.talking_head import TalkingHead
    from pipeline.models.pretrained import pretrained_folder

    head = TalkingHead.from_pretrained(models, precision)
    limits = Path(os.path.relpath(pretrained_folder() / "README.md"))
    print(
        seen_by(head.card) if models else f"pretrained models: {limits} describes their limits", file=said, flush=True
    )
    return head


@app.command()
def personalize(
    video: Annotated[
        list[Path], typer.Option(help="A video of one person who speaks, or a folder of such videos; repeatable.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write the bundle to.")],
    minutes: Annotated[float, typer.Option(min=1.0, help="About how long training may take.")] = 15.0,
    models: Annotated[
        str | None,
        typer.Option(
            help="The bundle to start from: a folder, or models:/NAME@ALIAS of MLflow. Default: the models that ship "
            "with the project."
        ),
    ] = None,
) -> None:
    """Fine-tune models to one person's face and voice, and compare them before and after on held-out clips.

    A network that is not better stays as it was. After an interruption the same command continues.
    """
    with command():
        check_named(models)
        check_no_bundle(out)
        find_videos(video)
        from pipeline.inference.loading import bundle_folder  # which loads torch
        from pipeline.personalize.personalize import personalize as make
        from pipeline.personalize.report import print_report

        print_report(make(video, bundle_folder(models), out, minutes, machine.jobs()), out)


@app.command("app")
def serve_page(
    models: Annotated[
        list[str] | None,
        typer.Option(
            help="A further bundle that visitors may choose: a folder, or models:/NAME@ALIAS of MLflow; repeatable."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 also lets other machines open the page.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 7860,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="The longest speech that the page accepts, in seconds.")
    ] = 60.0,
    jobs: Annotated[int, typer.Option(min=1, help="Videos to generate at a time; further ones wait.")] = 1,
    per_minute: Annotated[
        int,
        typer.Option(min=1, help="Uploads and videos that another machine may ask for per minute; here without limit."),
    ] = 20,
) -> None:
    """Serve a web page on which visitors upload or record a picture and speech, and generate the video."""
    with command():
        from pipeline.app.serve import serve

        serve(models or [], host, port, seconds, jobs, per_minute)


@app.command()
def use(
    corpus: Annotated[
        str, typer.Argument(help="The name of the corpus, such as sample or grid; a wrong name prints all.")
    ],
    root: Annotated[Path | None, typer.Option(help="The folder of its files.")] = None,
) -> None:
    """Choose the corpus in params.yaml. The rest of the file stays as it is, comments included."""
    with command():
        from pipeline.corpora.choose import choose_corpus

        for line in choose_corpus(paths.PARAMS, corpus, root):
            print(line)
        print("Now run: dvc repro")


@app.command("import-upstream")
def import_published(
    basics: Annotated[
        Path | None, typer.Option(help="The folder basics of the authors' repository; needed the first time.")
    ] = None,
    atnet: Annotated[Path | None, typer.Option(help="The authors' AT-net, atnet_lstm_18.pth.")] = None,
    vgnet: Annotated[Path | None, typer.Option(help="The authors' VG-net, generator_23.pth.")] = None,
    to: Annotated[Path, typer.Option(help="The folder to write the models to.")] = paths.PUBLISHED,
) -> None:
    """Convert the weights that the paper's authors published to model files, with the preprocessing they need."""
    with command():
        from pipeline.inference.published.import_weights import import_published as convert

        for line in convert(atnet, vgnet, basics, to):
            print(line)


@app.command("params")
def print_params() -> None:
    """Check params.yaml and print it as JSON, for training on a machine without this environment."""
    with command():
        from pipeline.config.file import dump_params, load_params
        from pipeline.corpora.registry import check_corpora

        params = load_params(paths.PARAMS)
        check_corpora(params)
        print(dump_params(params))
