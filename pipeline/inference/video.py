"""Writes talking-face videos, with sound and, on request, a table of landmarks."""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.config.generation import Settings
from pipeline.faces.crop import CROP
from pipeline.inference.checks import check_request
from pipeline.inference.compositing.base import Painted, View
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import is_video, opened_speech
from pipeline.inference.painter import Painter
from pipeline.inference.tracked import track
from pipeline.landmarks.points import COUNT
from pipeline.media import VideoWriter, probe, read_audio, read_frames
from pipeline.runtime.clock import FPS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.files import link_target, replacing
from pipeline.runtime.paths import StrPath
from pipeline.runtime.signals import Stopped
from pipeline.runtime.step_timer import StepTimer

OnProgress = Callable[[int, int | None], None]
"""Called with the number of finished frames and, if known, the total."""
WriteRow = Callable[[Iterable[object]], object]
LANDMARK_COLUMNS = ("frame", "timestamp", *(f"{axis}_{number}" for axis in "xy" for number in range(COUNT)))
"""OpenFace's names for 2D landmarks: frames from 1, seconds, then all x and all y in pixels of the video."""


class Video(NamedTuple):
    """A written video."""

    frames: int
    size: tuple[int, int]  # width and height in pixels
    seconds: Mapping[str, float]  # duration of each step, in the order in which the steps begin


def generate_video(
    head: Painter,
    picture: StrPath,
    speech: StrPath | None,
    out: StrPath,
    settings: Settings | None = None,
    *,
    drive: StrPath | None = None,
    landmarks: StrPath | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Video:
    """Write an MP4 in which the face of a picture says the speech. Returns its size and the seconds of each step.

    The video has 25 frames per second and all of the sound; its pictures cover the sound up to the last, partial frame.
    Its metadata say that it was generated. Memory does not grow with the speech. If the process is told to end, ``out``
    keeps what was generated until then.

    Args:
        head: The networks, usually a `TalkingHead`.
        picture: An image, or a video to dub.
        speech: A sound or video file, or "-" for a WAV from standard input.
        out: The MP4, or "-" to stream a fragmented MP4 to standard output.
        settings: How the face speaks, and what the video shows.
        drive: A video whose face moves this one, in place of ``speech``. Its sound is used.
        landmarks: A CSV to write the landmarks to.
        overwrite: Whether files that exist are replaced.
        on_progress: Called after each frame.

    Raises:
        PipelineError: The picture has no face, the speech has no sound, or an output exists, is an input, or cannot be
            written.
    """
    check_request(picture, speech, out, drive=drive, landmarks=landmarks, overwrite=overwrite)
    if drive is not None and is_video(picture):
        raise PipelineError("--video moves a still picture. Give one with -p, or leave out --video to dub a video.")
    if drive is not None and settings is not None and settings.blink:
        raise PipelineError("With --video the eyes move as that face's do: leave out --blink.")
    stopped, steps = None, StepTimer()
    with ExitStack() as stack:
        if drive is None:
            assert speech is not None
            with steps.timed("speech"):
                blocks, total = stack.enter_context(opened_speech(speech, head.preprocessing))
            with steps.timed("face"):
                generator = Generator(head, picture, settings, total)
            video = stack.enter_context(_open_writer(out, generator.view.size, None))
            painted = generator.speak(_written(blocks, video), steps)
        else:
            with steps.timed("face"):
                generator = Generator(head, picture, settings)
                movement_T68x2 = track(Path(drive), read_frames(drive), head.face, CROP).crop_points_T68x2
            total = len(movement_T68x2)
            sound_N = read_audio(drive) if probe(drive).has_audio else np.zeros(0, np.int16)
            painted = generator.follow(movement_T68x2, steps)
            video = stack.enter_context(_open_writer(out, generator.view.size, sound_N))
        if landmarks is not None:
            write_row = stack.enter_context(_landmark_table(Path(landmarks)))
            painted = _with_landmark_rows(painted, write_row, generator.view)
        try:
            for frame_HWC in steps.each("picture", generator.view.frames(painted)):
                with steps.timed("encoding"):
                    video.write(frame_HWC)
                if on_progress:
                    on_progress(video.frames, total)
        except Stopped as error:
            if not video.frames:
                raise
            video.drop_sound()
            # "About": the frame that was being written may or may not be in the file.
            error.kept = f"{out} holds about the first {video.frames / FPS:.1f} s."
            stopped = error
    if stopped:
        raise stopped
    return Video(video.frames, generator.view.size, steps.seconds)


def _written(blocks: Iterable[NDArray[np.int16]], video: VideoWriter) -> Iterator[NDArray[np.int16]]:
    """Yield the blocks of sound, and write each to the video."""
    for block_N in blocks:
        video.write_sound(block_N)
        yield block_N


def _open_writer(out: StrPath, size: tuple[int, int], sound_N: NDArray[np.int16] | None) -> VideoWriter:
    """Open the output. Without ``sound_N``, sound is written while the video is generated."""
    target: Path | BinaryIO = link_target(out)
    if str(out) == "-" and sys.__stdout__ is not None:
        target = cast(BinaryIO, sys.__stdout__.buffer)  # also when sys.stdout is redirected
    comment = f"generated by atvgnet {version('atvgnet')}"
    return VideoWriter(target, size=size, fps=FPS, audio=sound_N, live_sound=sound_N is None, comment=comment)


@contextmanager
def _landmark_table(path: Path) -> Iterator[WriteRow]:
    """Open a CSV that appears under its name when it is complete. Yields the function that writes a row."""
    target = link_target(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            write_row = csv.writer(file).writerow
            write_row(LANDMARK_COLUMNS)
            yield write_row
    except OSError as error:
        raise PipelineError(f"{path} cannot be written: {error.strerror}. Give --landmarks another place.") from error


def _with_landmark_rows(painted: Iterable[Painted], write_row: WriteRow, view: View) -> Iterator[Painted]:
    """Yield the chunks, and write a row per frame with the landmarks in pixels of the video."""
    frame = 0
    for chunk in painted:
        for points in view.points(chunk.points_T68x2, frame, chunk.reference):
            numbers = (f"{value:.2f}" for value in points.T.reshape(-1))
            write_row((frame + 1, f"{frame / FPS:.2f}", *numbers))
            frame += 1
        yield chunk
