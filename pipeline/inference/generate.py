"""A picture and speech to a talking-face video file."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.checks import check_request
from pipeline.inference.drive import Drive
from pipeline.inference.generator import Generator
from pipeline.inference.inputs import is_video, opened_speech
from pipeline.inference.landmark_table import opened_table
from pipeline.inference.settings import Settings
from pipeline.inference.talking_head import TalkingHead
from pipeline.media import VideoWriter, probe, read_audio
from pipeline.runtime.clock import FPS, frames_of
from pipeline.runtime.errors import PipelineError, Stopped
from pipeline.runtime.paths import StrPath
from pipeline.runtime.progress import StepTimer

OnProgress = Callable[[int, int | None], None]
"""Called with the frames that are done, and how many there will be, where that is known."""


class Video(NamedTuple):
    """What was written."""

    frames: int
    size: tuple[int, int]
    """Width and height in pixels."""
    seconds: Mapping[str, float]
    """What each step took, in the order in which they begin."""


def generate(
    head: TalkingHead,
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
    """Make the face in ``picture``, an image or a video, say ``speech``, any sound or video file, and write the MP4
    ``out``; "-" is standard input, which brings a WAV, and standard output, which gets a fragmented MP4 as it is made.

    The video has 25 frames per second, the sound whole and the pictures as long as it, to the frame begun, and says
    what generated it. In place of speech the face may move as that of the video ``drive`` does, whose sound is heard.
    ``landmarks`` is a CSV to write the landmarks to. Memory does not grow with the speech. When the process is told to
    end, ``out`` holds what was generated until then.

    Raises PipelineError when the picture holds no face, the file no sound, or ``out`` is one of the two, is there
    already without ``overwrite``, or cannot be written.
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
                heard = stack.enter_context(opened_speech(speech, head.preprocessing))
            total = None if heard.samples is None else frames_of(heard.samples)
            with steps.timed("face"):
                generator = Generator(head, picture, settings, total)
            video = stack.enter_context(_opened(out, generator.view.size, None))
            painted = generator.speak(_recorded(heard.blocks, video), steps)
        else:
            with steps.timed("face"):
                generator, moves = Generator(head, picture, settings), Drive.of(Path(drive), head.face)
            total = len(moves.points_T68x2)
            sound_N = read_audio(drive) if probe(drive).has_audio else np.zeros(0, np.int16)
            painted = generator.follow(moves, steps)
            video = stack.enter_context(_opened(out, generator.view.size, sound_N))
        if landmarks is not None:
            table = stack.enter_context(opened_table(Path(landmarks), generator.view, head.preprocessing))
            painted = table.noted(painted)
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
            # About: the frame that was being written may be in it or not.
            error.kept = f"{out} holds about the first {video.frames / FPS:.1f} s."
            stopped = error
    if stopped:
        raise stopped
    return Video(video.frames, generator.view.size, steps.seconds)


def _recorded(blocks: Iterable[NDArray[np.int16]], video: VideoWriter) -> Iterator[NDArray[np.int16]]:
    """The sound, written as it is heard."""
    for block_N in blocks:
        video.write_sound(block_N)
        yield block_N


def _opened(out: StrPath, size: tuple[int, int], sound_N: NDArray[np.int16] | None) -> VideoWriter:
    """With sound that is there, or without it comes."""
    target: Path | BinaryIO = Path(out)
    if str(out) == "-" and sys.__stdout__ is not None:
        target = cast(BinaryIO, sys.__stdout__.buffer)  # also where what is printed goes elsewhere
    return VideoWriter(target, size=size, fps=FPS, audio=sound_N, live_sound=sound_N is None, comment=provenance())


def provenance() -> str:
    """What a generated video says of itself."""
    return f"generated by atvgnet {version('atvgnet')}"
