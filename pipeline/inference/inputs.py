"""Reads the picture and the speech, from files, pipes or arrays."""

import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.inference.checks import check_picture, check_speech, is_pipe
from pipeline.inference.face_warnings import check_face
from pipeline.media import Damage, MediaError, probe, sound_warnings
from pipeline.media.picture import is_picture, read_picture
from pipeline.media.pipe import read_pipe
from pipeline.preprocessing.base import Preprocessing, Reference
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME, frames_of
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

_AUDIBLE = 33  # of 32767: 60 dB below full scale
_BLOCK = 8000  # samples: half a second
log = logging.getLogger(__name__)

Picture = StrPath | NDArray[np.uint8]
"""An image file, or RGB (H, W, 3)."""
Speech = StrPath | NDArray[np.int16]
"""A sound file, a video with sound, "-" for a WAV from standard input, or mono samples (N,) at 16 kHz."""


def read_image(picture: Picture) -> NDArray[np.uint8]:
    """Return the picture as RGB (H, W, 3). Raises PipelineError if the file is missing or is not a picture."""
    if not isinstance(picture, np.ndarray):
        check_picture(Path(picture))
        return read_picture(Path(picture))
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        advice = "Give RGB as uint8 (height, width, 3)."
        raise PipelineError(f"is {picture.dtype} {picture.shape}", subject="The picture", advice=advice)
    return picture


def read_reference(
    picture: Picture,
    preprocessing: Preprocessing,
    face: WhichFace = "prominent",
    image_HWC: NDArray[np.uint8] | None = None,
) -> Reference:
    """Return the crop of a face in the picture with its landmarks, and warn if the face is not a good one.

    ``image_HWC`` is the picture if it has been read already. Raises PipelineError like `read_image`, and if there is no
    frontal face.
    """
    name = "The picture" if isinstance(picture, np.ndarray) else Path(picture)
    if image_HWC is None:
        image_HWC = read_image(picture)
    reference = preprocessing.reference(image_HWC, face)
    if reference is None and isinstance(face, int) and preprocessing.reference(image_HWC) is not None:
        reason = f"shows no face number {face}, counted from the left from 1"
        raise PipelineError(reason, subject=name, advice="Give a lower one.")
    if reference is None:
        advice = "Give a frontal, evenly lit face of at least 80 pixels."
        raise PipelineError("shows no face that could be found", subject=name, advice=advice)
    if reference.choice is not None:
        check_face(name, reference.choice, face, len(reference.image_HWC))
    return reference


def is_video(picture: StrPath) -> bool:
    """Return whether a file is a video, and not a picture or anything else."""
    path = Path(picture)
    with suppress(MediaError):
        return path.is_file() and not is_picture(path) and probe(path).has_video
    return False


class OpenedSpeech(NamedTuple):
    """Speech that can be read once."""

    blocks: Iterable[NDArray[np.int16]]  # mono samples (N,) at 16 kHz
    frames: int | None = None  # video frames that it lasts; None for a pipe


@contextmanager
def opened_speech(speech: Speech, preprocessing: Preprocessing) -> Iterator[OpenedSpeech]:
    """Open the speech of a file, an array or a pipe: standard input ("-"), or the shell's `<(command)`.

    A file is decoded completely first, and kept on disk. Its sound starts at its own beginning, also if there is
    video with another start. One log line reports anything unusual or undecodable.

    Raises PipelineError if the file is missing, has no sound, is silent, or is shorter than one video frame.
    """
    if isinstance(speech, np.ndarray):
        if speech.dtype != np.int16 or speech.ndim != 1:
            raise PipelineError(f"The speech is {speech.dtype} {speech.shape}. Give 16 kHz mono samples as int16 (N,).")
        yield _in_blocks(speech, "The speech")
        return
    check_speech(speech)
    standard_input = str(speech) == "-"
    if standard_input or is_pipe(Path(speech)):
        try:  # without a buffer, which would delay live speech
            pipe = FileIO(sys.stdin.fileno() if standard_input else speech, closefd=not standard_input)
        except OSError as error:
            advice = "Pipe a WAV to -i -, or name a file."
            raise PipelineError(f"cannot be read ({error.strerror})", subject=speech, advice=advice) from None
        with pipe:
            name = "standard input" if standard_input else str(speech)
            yield OpenedSpeech(_checked_blocks(read_pipe(pipe, name), name))
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield _in_blocks(_decoded(Path(speech), preprocessing, Path(folder) / "speech.raw"), speech)


def _decoded(path: Path, preprocessing: Preprocessing, raw: Path) -> NDArray[np.int16]:
    """Decode a file into the memory-mapped file ``raw``, so that an hour of sound takes no memory."""
    damage, peak = Damage(), 0
    with raw.open("wb") as file:
        for block in preprocessing.read_speech(path, damage):
            file.write(block.tobytes())
            peak = max(peak, _peak(block))
    warnings = sound_warnings(path)
    if str(damage):
        warnings.append(f"damaged: {damage}")
    if warnings:
        log.warning("%s: %s", path, "; ".join(warnings))
    if not raw.stat().st_size:
        return np.zeros(0, np.int16)
    if peak < _AUDIBLE:
        reason = "is silent, or nearly so: nothing would move"
        raise PipelineError(reason, subject=path, advice="Give a file with speech.")
    return np.memmap(raw, np.int16, mode="r")


def _in_blocks(samples_N: NDArray[np.int16], name: StrPath) -> OpenedSpeech:
    _check_length(len(samples_N), name)
    blocks = (samples_N[at : at + _BLOCK] for at in range(0, len(samples_N), _BLOCK))
    return OpenedSpeech(blocks, frames_of(len(samples_N)))


def _checked_blocks(blocks: Iterable[NDArray[np.int16]], name: str) -> Iterator[NDArray[np.int16]]:
    """Yield the blocks of a pipe, and check their length and level at the end."""
    name = name[:1].upper() + name[1:]
    count = peak = 0
    for block in blocks:
        count, peak = count + len(block), max(peak, _peak(block))
        yield block
    _check_length(count, name)
    if peak < _AUDIBLE:
        log.warning("%s was silent, or nearly so: nothing moved. Pipe speech in.", name)


def _peak(block_N: NDArray[np.int16]) -> int:
    return max(int(block_N.max(initial=0)), -int(block_N.min(initial=0)))


def _check_length(samples: int, name: StrPath) -> None:
    if samples < SAMPLES_PER_FRAME:
        reason = "holds less sound than one video frame lasts"
        raise PipelineError(reason, subject=name, advice=f"Give at least {1 / FPS} seconds.")
