"""What a talking head is given: a picture of a face and speech, as files or as arrays."""

import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.inference.checks import check_picture, check_speech, is_pipe
from pipeline.inference.face import check_face
from pipeline.inference.preprocessing.base import Preprocessing, Reference
from pipeline.media import Damage, MediaError, probe, sound_warnings
from pipeline.media.picture import is_picture, read_picture
from pipeline.media.pipe import read_pipe
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

_AUDIBLE = 33  # of 32767: 60 dB below full scale
_BLOCK = 8000  # samples: half a second
log = logging.getLogger(__name__)

Picture = StrPath | NDArray[np.uint8]
"""An image file, or RGB (H, W, 3)."""
Speech = StrPath | NDArray[np.int16]
"""A sound file or a video with sound, "-" for a WAV that standard input brings, or mono samples (N,) at 16 kHz."""


def read_image(picture: Picture) -> NDArray[np.uint8]:
    """The picture, RGB (H, W, 3). Raises PipelineError when the file is missing or cannot be read as a picture."""
    image_HWC = picture if isinstance(picture, np.ndarray) else _read_picture(Path(picture))
    if image_HWC.dtype != np.uint8 or image_HWC.ndim != 3 or image_HWC.shape[2] != 3:
        found = f"{image_HWC.dtype} {image_HWC.shape}"
        raise PipelineError(f"{_name(picture)} is {found}. Give RGB as uint8 (height, width, 3).")
    return image_HWC


def read_reference(
    picture: Picture,
    preprocessing: Preprocessing,
    face: WhichFace = "prominent",
    image_HWC: NDArray[np.uint8] | None = None,
) -> Reference:
    """The crop of the face that is meant in a picture, and its landmarks; a warning where it is not a good one.

    ``image_HWC`` is the picture where it has been read. Raises PipelineError as `read_image`, and where there is no
    frontal face.
    """
    name, image_HWC = _name(picture), read_image(picture) if image_HWC is None else image_HWC
    reference = preprocessing.reference(image_HWC, face)
    if reference is None and isinstance(face, int) and preprocessing.reference(image_HWC) is not None:
        raise PipelineError(f"{name} shows no face number {face}, counted from the left from 1. Give a lower one.")
    if reference is None:
        raise PipelineError(
            f"{name} shows no face that could be found. Give a frontal, evenly lit face of at least 80 pixels."
        )
    if reference.choice is not None:
        check_face(name, reference.choice, face, len(reference.image_HWC))
    return reference


def _name(picture: Picture) -> str:
    return "The picture" if isinstance(picture, np.ndarray) else str(picture)


def _read_picture(path: Path) -> NDArray[np.uint8]:
    check_picture(path)
    return read_picture(path)


def is_video(picture: StrPath) -> bool:
    """Whether a file is a video rather than an image; not where it is neither."""
    path = Path(picture)
    if not path.is_file() or is_picture(path):
        return False
    try:
        return probe(path).has_video
    except MediaError:
        return False


@dataclass(frozen=True)
class HeardSpeech:
    """Speech that is there, or comes."""

    blocks: Iterable[NDArray[np.int16]]
    """Mono samples (N,) at 16 kHz."""
    samples: int | None = None
    """How many in all, where that is known."""


@contextmanager
def opened_speech(speech: Speech, preprocessing: Preprocessing) -> Iterator[HeardSpeech]:
    """The speech of a file, of samples, or of the WAV that a pipe brings: standard input where `speech` is "-", or what
    `<(command)` names.

    A file's sound is heard whole first, from its own beginning, whatever picture is beside it, and kept on the disk.
    What is unusual about it, or could not be decoded, is logged in one line.

    Raises PipelineError when the file is missing, has no sound, is silent, or lasts less than one video frame.
    """
    if isinstance(speech, np.ndarray):
        if speech.dtype != np.int16 or speech.ndim != 1:
            raise PipelineError(f"The speech is {speech.dtype} {speech.shape}. Give 16 kHz mono samples as int16 (N,).")
        yield _known(speech, "The speech")
        return
    check_speech(speech)
    if str(speech) == "-" or is_pipe(Path(speech)):
        with _opened_pipe(speech) as pipe:
            name = "standard input" if str(speech) == "-" else str(speech)
            yield HeardSpeech(_some(read_pipe(pipe, name), name))
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield _known(_heard(Path(speech), preprocessing, Path(folder) / "speech.raw"), str(speech))


def _opened_pipe(speech: StrPath) -> FileIO:
    """Without a buffer, so that nobody waits for one to fill."""
    if str(speech) == "-":
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    try:
        return open(speech, "rb", buffering=0)
    except OSError as error:
        raise PipelineError(
            f"{speech} cannot be read ({error.strerror}). Pipe a WAV to -i -, or name a file."
        ) from None


def _heard(path: Path, preprocessing: Preprocessing, raw: Path) -> NDArray[np.int16]:
    """A file's sound in a memory map, so that an hour of it takes no memory."""
    damage, peak = Damage(), 0
    with raw.open("wb") as file:
        for block in preprocessing.hear(path, damage):
            file.write(block.tobytes())
            peak = max(peak, _peak(block))
    warnings = sound_warnings(path)
    if str(damage):
        warnings.append(f"damaged: {damage}")
    if warnings:
        log.warning("%s: %s", path, "; ".join(warnings))
    if peak < _AUDIBLE and raw.stat().st_size:
        raise PipelineError(f"{path} is silent, or nearly so: nothing would move. Give a file with speech.")
    return np.memmap(raw, np.int16, mode="r") if raw.stat().st_size else np.zeros(0, np.int16)


def _known(samples_N: NDArray[np.int16], name: str) -> HeardSpeech:
    _check_length(len(samples_N), name)
    return HeardSpeech((samples_N[at : at + _BLOCK] for at in range(0, len(samples_N), _BLOCK)), len(samples_N))


def _some(blocks: Iterable[NDArray[np.int16]], name: str) -> Iterator[NDArray[np.int16]]:
    """The blocks, of which there must be some when they end."""
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


def _check_length(samples: int, name: str) -> None:
    if samples < SAMPLES_PER_FRAME:
        raise PipelineError(f"{name} holds less sound than one video frame lasts. Give at least {1 / FPS} seconds.")
