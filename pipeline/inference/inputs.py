"""What a talking head is given: a picture of a face and speech, as files or as arrays."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.inference.face import check_face
from pipeline.inference.preprocessing.base import Preprocessing, Reference
from pipeline.media import Damage, sound_warnings
from pipeline.media.picture import read_picture
from pipeline.runtime.clock import FPS, SAMPLES_PER_FRAME
from pipeline.runtime.errors import PipelineError

_AUDIBLE = 33  # of 32767: 60 dB below full scale
log = logging.getLogger(__name__)

Picture = str | Path | NDArray[np.uint8]
"""An image file, or RGB (H, W, 3)."""
Speech = str | Path | NDArray[np.int16]
"""A sound file or a video with sound, or mono samples (N,) at 16 kHz."""


def read_image(picture: Picture) -> NDArray[np.uint8]:
    """The picture, RGB (H, W, 3). Raises PipelineError when the file is missing or cannot be read as a picture."""
    image_HWC = _read_picture(Path(picture)) if isinstance(picture, str | Path) else picture
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
    return str(picture) if isinstance(picture, str | Path) else "The picture"


def _read_picture(path: Path) -> NDArray[np.uint8]:
    if not path.exists():
        raise PipelineError(f"{path} does not exist. Give a picture of a face with -p.")
    return read_picture(path)


@contextmanager
def opened_speech(speech: Speech, preprocessing: Preprocessing) -> Iterator[NDArray[np.int16]]:
    """The speech as mono samples (N,) at 16 kHz; those of a file in a memory map, so an hour of it takes no memory.

    A file's sound is heard from its own beginning, whatever picture is beside it. What is unusual about it, or could
    not be decoded, is logged in one line.

    Raises PipelineError when the file is missing, has no sound, or lasts less than one video frame.
    """
    if isinstance(speech, str | Path):
        path = Path(speech)
        if not path.exists():
            raise PipelineError(f"{path} does not exist. Give a sound or video file with -i.")
        with tempfile.TemporaryDirectory() as folder:
            raw, damage, peak = Path(folder) / "speech.raw", Damage(), 0
            with raw.open("wb") as file:
                for block in preprocessing.hear(path, damage):
                    file.write(block.tobytes())
                    peak = max(peak, int(block.max(initial=0)), -int(block.min(initial=0)))
            warnings = sound_warnings(path)
            if str(damage):
                warnings.append(f"damaged: {damage}")
            if peak < _AUDIBLE:
                warnings.append("silent, or nearly so")
            if warnings:
                log.warning("%s: %s", path, "; ".join(warnings))
            samples = np.memmap(raw, np.int16, mode="r") if raw.stat().st_size else np.zeros(0, np.int16)
            yield _long_enough(samples, str(path))
    else:
        if speech.dtype != np.int16 or speech.ndim != 1:
            raise PipelineError(f"The speech is {speech.dtype} {speech.shape}. Give 16 kHz mono samples as int16 (N,).")
        yield _long_enough(speech, "The speech")


def _long_enough(samples_N: NDArray[np.int16], name: str) -> NDArray[np.int16]:
    if len(samples_N) < SAMPLES_PER_FRAME:
        raise PipelineError(f"{name} holds less sound than one video frame lasts. Give at least {1 / FPS} seconds.")
    return samples_N
