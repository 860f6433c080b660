"""A picture and speech to a talking-face video."""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from pipeline.faces.crop import SIZE
from pipeline.inference.preprocessing import Preprocessing, Reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.media import VideoWriter, read_audio_blocks
from pipeline.runtime.errors import PipelineError
from pipeline.speech.mfcc import RATE

FPS = 25
CHUNK = 32
"""Frames generated at a time: enough to keep the processor busy, little enough to need no memory to speak of."""


def generate(head: TalkingHead, picture: Path, speech: Path, out: Path) -> int:
    """Make the face in ``picture`` say ``speech`` (any sound or video file) and write the MP4 ``out``; returns its
    frames.

    128x128 at 25 fps, the sound whole and the pictures as long as it, to the frame begun. Memory does not
    grow with the speech. Raises PipelineError when the picture holds no face, the file no sound, or ``out`` cannot be
    written.
    """
    if out.suffix.lower() != ".mp4":
        raise PipelineError(f"{out} is no .mp4 file. Give the output a name that ends in .mp4.")
    reference = read_reference(picture, head.preprocessing)
    with tempfile.TemporaryDirectory() as folder:
        samples = _spool(speech, Path(folder) / "speech.raw")
        frames = -(-len(samples) * FPS // RATE)
        heard = head.preprocessing.windows(samples, frames, CHUNK)
        painted = head.paint(reference, head.landmarks(reference, heard))
        with VideoWriter(out, size=(SIZE, SIZE), fps=FPS, audio=samples) as video:
            for chunk in track(painted, total=-(-frames // CHUNK), description="generate", transient=True):
                for frame in chunk.frames_THWC:
                    video.write(frame)
    return frames


def read_reference(picture: Path, preprocessing: Preprocessing) -> Reference:
    """The crop of the largest face in a picture file, and its landmarks.

    Raises PipelineError when the file is missing, is no picture, or holds no frontal face.
    """
    if not picture.exists():
        raise PipelineError(f"{picture} does not exist. Give a picture of a face with -p.")
    decoded = cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise PipelineError(f"{picture} is no picture that can be read. Give a JPEG or PNG.")
    reference = preprocessing.reference(np.asarray(decoded, np.uint8))
    if reference is None:
        raise PipelineError(
            f"{picture} shows no face that could be found. Give a frontal, evenly lit face of at least 80 pixels."
        )
    return reference


def _spool(speech: Path, raw: Path) -> NDArray[np.int16]:
    """The sound as 16 kHz mono samples in a memory-mapped file, so that an hour of it takes no memory."""
    if not speech.exists():
        raise PipelineError(f"{speech} does not exist. Give a sound or video file with -i.")
    with raw.open("wb") as file:
        for block in read_audio_blocks(speech, rate=RATE):
            file.write(block.tobytes())
    if raw.stat().st_size < 2 * RATE // FPS:
        raise PipelineError(f"{speech} holds less sound than one video frame lasts. Give at least 0.04 seconds.")
    return np.memmap(raw, np.int16, mode="r")
