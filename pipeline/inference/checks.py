"""Checks of a request that need no networks, so a mistake is reported before they are loaded."""

import sys
from pathlib import Path

from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import check_output
from pipeline.runtime.paths import StrPath


def check_request(
    picture: StrPath,
    speech: StrPath | None,
    out: StrPath,
    *,
    drive: StrPath | None = None,
    landmarks: StrPath | None = None,
    overwrite: bool = False,
) -> None:
    """Check the arguments of `generate_video`.

    Raises PipelineError if an input is missing, an output cannot be written or is one of the inputs, or the inputs
    exclude each other.
    """
    if (speech is None) == (drive is None):
        raise PipelineError("Give speech with -i, or with --video a video that moves the face, and not both.")
    inputs = [Path(path) for path in (picture, speech, drive) if path is not None and Path(path).is_file()]
    if str(out) != "-":
        check_output(Path(out), ".mp4", overwrite, *inputs)
    elif sys.__stdout__ is None or sys.__stdout__.isatty():
        raise PipelineError("The video would go to the terminal. Pipe it on, such as `-o - | ffplay -`.")
    if landmarks is not None:
        check_output(Path(landmarks), ".csv", overwrite, *inputs)
    check_picture(Path(picture))
    if speech is not None:
        check_speech(speech)
    if drive is not None:
        _check_exists(Path(drive), "Give a video of a face.")


def check_picture(path: Path) -> None:
    """Raise PipelineError if the picture does not exist, or is a folder, or a pipe, which cannot be read twice."""
    _check_exists(path, "Give a picture of a face.")
    if is_pipe(path):
        raise PipelineError("is a pipe or device", subject=path, advice="Save the picture as a file, and give that.")


def check_speech(speech: StrPath) -> None:
    """Raise PipelineError if the file does not exist or is a folder, or standard input ("-") is a terminal."""
    if str(speech) == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise PipelineError("The speech would come from the terminal. Pipe a WAV in, or name a file with -i.")
    else:
        _check_exists(Path(speech), "Give a sound or video file.")


def _check_exists(path: Path, advice: str) -> None:
    if not path.exists():
        raise PipelineError("does not exist", subject=path, advice=advice)
    if path.is_dir():
        raise PipelineError("is a folder, not a file", subject=path, advice=advice)


def is_pipe(path: Path) -> bool:
    """Return whether the path is a pipe or device, such as the shell's `<(command)`."""
    return path.exists() and not path.is_file() and not path.is_dir()


def with_name(error: PipelineError) -> PipelineError:
    """Return the error with its file's name in place of the path, for users of other machines."""
    subject = f"{Path(error.subject).name}{error.separator.rstrip()}"
    return PipelineError(error.reason, subject=subject, advice=error.advice)
