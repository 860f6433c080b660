"""The command that generates videos."""

import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_args

from typer import Option

from pipeline.bundles.location import check_source, pretrained_folder
from pipeline.cli.options import ModelsOption
from pipeline.config.generation import SETTINGS, Settings, parse_face
from pipeline.config.params import FaceRule
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.machine import Precision
from pipeline.runtime.progress import progress_of

if TYPE_CHECKING:  # loads torch
    from pipeline.inference.talking_head import TalkingHead


def _setting(name: str, *flags: str, more: str = "", minimum: int | None = None) -> Any:
    """Return the option of a generation setting."""
    info = SETTINGS[name]
    return Option(*(flags or [f"--{info.option}"]), help=info.help + more, min=minimum)


def generate(
    picture: Annotated[
        Path | None, Option("-p", "--picture", help="Picture of a face, or a video to dub. Required without --batch.")
    ] = None,
    speech: Annotated[
        Path | None,
        Option(
            "-i",
            "--input",
            help="Speech: a sound file, a video with sound, or - for a WAV from a pipe. Required without --batch or "
            "--video.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        Option(
            "-o",
            "--out",
            help="MP4 to write, with 25 frames per second in the size of the picture, or - for a pipe. Missing folders "
            "are created. Required without --batch.",
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        Option(help="CSV of many videos with the columns picture, speech and out, in place of -p, -i and -o."),
    ] = None,
    jobs: Annotated[int, Option(min=1, help="Rows of --batch that are generated at a time.")] = 1,
    models: ModelsOption = None,
    face: Annotated[
        str | None,
        _setting("face", more=f" Values: {', '.join(get_args(FaceRule))}, or a number counted from the left."),
    ] = None,
    strength: Annotated[float, _setting("strength")] = Settings.strength,
    blink: Annotated[bool | None, _setting("blink", "--blink/--no-blink")] = None,
    sway: Annotated[bool, _setting("sway")] = False,
    seed: Annotated[int, _setting("seed", minimum=0)] = Settings.seed,
    crop: Annotated[bool, _setting("crop")] = False,
    panels: Annotated[bool, _setting("panels")] = False,
    landmarks: Annotated[
        Path | None, Option(help="CSV to write the landmarks to. Missing folders are created.")
    ] = None,
    video: Annotated[
        Path | None, Option(help="Video whose face moves the face in the picture, in place of -i.")
    ] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace files that exist.")] = False,
    precision: Annotated[
        Precision,
        Option(
            metavar="TYPE",
            help="Number format of VG-net: float32, bfloat16, or auto, which is bfloat16 where the processor supports "
            "it.",
        ),
    ] = "auto",
) -> None:
    """Generate a video in which the face in a picture says the speech."""
    rule = None if face is None else parse_face(face)
    settings = Settings(face=rule, strength=strength, blink=blink, sway=sway, crop=crop, panels=panels, seed=seed)
    messages = sys.stderr if str(out) == "-" else sys.stdout
    if batch is not None:
        if picture or speech or out or landmarks or video:
            raise PipelineError("--batch has pictures, speech and outputs in its table: leave out -p, -i and -o.")
        from pipeline.inference.batch import check_table

        check_source(models)
        check_table(batch, settings, overwrite)
        _generate_table(_load(models, precision, messages), batch, jobs, settings, overwrite)
        return
    if picture is None or out is None:
        raise PipelineError("Give a picture with -p, speech with -i and the output with -o, or all with --batch.")
    from pipeline.inference.checks import check_request

    check_source(models)
    check_request(picture, speech, out, drive=video, landmarks=landmarks, overwrite=overwrite)
    from pipeline.inference.video import generate_video  # loads torch

    head = _load(models, precision, messages)
    start = time.perf_counter()
    with redirect_stdout(messages), progress_of("generate") as on_progress:
        written = generate_video(
            head,
            picture,
            speech,
            out,
            settings,
            drive=video,
            landmarks=landmarks,
            overwrite=overwrite,
            on_progress=on_progress,
        )
    took = time.perf_counter() - start
    name = "standard output" if str(out) == "-" else out
    width, height = written.size
    print(f"{name}: {written.frames} frames, {written.frames / FPS:.2f} s, {width}x{height} pixels", file=messages)
    shares = ", ".join(f"{step} {seconds / took:.0%}" for step, seconds in written.seconds.items())
    print(f"took {took:.1f} s: {shares}", file=messages)


def _generate_table(head: "TalkingHead", table: Path, jobs: int, settings: Settings, overwrite: bool) -> None:
    from pipeline.inference.batch import generate_batch, results_of

    with progress_of("videos") as on_progress:
        outcomes = generate_batch(head, table, jobs, settings, overwrite=overwrite, on_progress=on_progress)
    failed = [outcome for outcome in outcomes if outcome.state != "done"]
    print(f"{results_of(table)}: {len(outcomes) - len(failed)} of {len(outcomes)} rows have their video")
    if failed:
        raise PipelineError(f"{len(failed)} of {len(outcomes)} rows failed, the first so: {failed[0].message}")


def _load(models: str | None, precision: Precision, messages: TextIO) -> "TalkingHead":
    """Load the models, and print what they were trained on."""
    from pipeline.corpora.registry import training_note
    from pipeline.inference.talking_head import TalkingHead

    head = TalkingHead.from_pretrained(models, precision)
    limits = Path(os.path.relpath(pretrained_folder() / "README.md"))
    origin = training_note(head.card) if models else f"pretrained models: {limits} describes their limits"
    print(origin, file=messages, flush=True)
    return head
