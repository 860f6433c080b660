"""A picture file as RGB: upright, opaque, and of no more pixels than a face needs."""

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from pipeline.media.colour import PLAIN
from pipeline.media.errors import MediaError
from pipeline.media.library import raised_by_library, words_of
from pipeline.media.limits import ENOUGH, LONGEST, MOST
from pipeline.media.read import read_frames
from pipeline.runtime.errors import PipelineError

_LAST_BYTES = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "WEBP": b"", "AVIF": b"", "HEIF": b""}
"""How files of these formats end; b"" is anything but zeros."""
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
"""Not all that Pillow knows: it would hand PostScript to Ghostscript, which runs it."""
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFFs begin."""
_PADDING = 64
"""Zeros at the end that may be."""


pillow_heif.register_heif_opener()


def read_picture(path: Path) -> NDArray[np.uint8]:
    """RGB (H, W, 3) of a JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP, GIF, PPM or JPEG 2000, turned as its EXIF says.

    What is transparent lies on a plain ground, so colours that nobody sees stay unseen. A picture of more than 25
    megapixels, or 16,384 pixels a side, comes smaller by a whole number.
    Raises PipelineError when the file is not a picture, broken off, damaged, or too large for the memory.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS) as file:
            _check_size(path, file)
            return _decoded(path, file)
    except PipelineError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise _too_large(path) from None
    except UnidentifiedImageError:
        if not _is_tiff(path):
            advice = "Give a JPEG or PNG. If it is one, it is broken off: fetch it again."
            raise PipelineError(f"{path} is neither a picture nor a video that can be read. {advice}") from None
        return _decoded_by_libav(path)
    except Exception as error:  # whatever the many decoders say of bytes that are not as they should be
        if isinstance(error, OSError) and error.errno:
            raise PipelineError(f"{path} cannot be read as a picture: {error.strerror}. Give another.") from None
        if not raised_by_library(error):
            raise
        raise _broken(path, words_of(error)) from None


def is_picture(path: Path) -> bool:
    """Whether a file is of a kind that `read_picture` reads, though it may be damaged."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS):
            return True
    except UnidentifiedImageError:
        return _is_tiff(path)
    except Exception as error:  # damaged, or not to be opened: `read_picture` says which
        if not isinstance(error, OSError) and not raised_by_library(error):
            raise
        return True


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF


def _decoded_by_libav(path: Path) -> NDArray[np.uint8]:
    """A TIFF of a kind that Pillow does not know, such as colours as floating-point numbers from 0 to 1."""
    try:
        return next(read_frames(path))
    except MediaError:
        advice = "fetch it again, or save it as a JPEG or PNG."
        raise PipelineError(f"{path} is a TIFF of a kind that cannot be read, or broken off: {advice}") from None


def _broken(path: Path, why: str) -> PipelineError:
    return PipelineError(f"{path} is damaged or broken off: fetch it again, or give another picture ({why}).")


def _too_large(path: Path) -> PipelineError:
    return PipelineError(f"{path} has too many pixels to read. Give it with at most {MOST // 10**6} megapixels.")


def _check_size(path: Path, file: Image.Image) -> None:
    in_steps = file.format == "JPEG" and not file.info.get("progressive")  # can be decoded at a fraction of its size
    if not in_steps and math.prod(file.size) > MOST:
        raise _too_large(path)


def _decoded(path: Path, file: Image.Image) -> NDArray[np.uint8]:
    factor = _times_too_large(file)
    if factor > 1:  # JPEG's decoder can leave out what is not wanted, and is quick by it
        file.draft(None, (max(1, file.width // factor), max(1, file.height // factor)))
    file.load()
    ImageOps.exif_transpose(file, in_place=True)
    if file.format in _LAST_BYTES and _ends_in_zeros(path, _LAST_BYTES[file.format]):
        raise _broken(path, "its end is missing")
    shown = _as(file, "RGBA") if file.has_transparency_data else _eight_bit(path, file)
    rest = _times_too_large(shown)
    if rest > 1:
        shown = shown.reduce(rest)
    if shown.mode == "RGBA":
        shown = Image.alpha_composite(Image.new("RGBA", shown.size, (PLAIN, PLAIN, PLAIN)), shown)
    return np.array(_as(shown, "RGB"))


def _times_too_large(file: Image.Image) -> int:
    return max(math.ceil(math.sqrt(math.prod(file.size) / ENOUGH)), math.ceil(max(file.size) / LONGEST))


def _eight_bit(path: Path, file: Image.Image) -> Image.Image:
    """RGB; of 16-bit grey the upper byte, which Pillow itself would cut off at 255."""
    if file.mode.startswith("I;16"):
        values: Any = np.asarray(file)
        file = Image.fromarray((values >> 8).astype(np.uint8))
    elif file.mode in ("I", "F"):
        raise PipelineError(f"{path} cannot be read as a picture: its values have no known range. Give a JPEG or PNG.")
    return _as(_in_srgb(file), "RGB")


def _as(file: Image.Image, mode: str) -> Image.Image:
    """In that mode; the given one where it has it, as a copy of a large one takes much memory."""
    return file if file.mode == mode else file.convert(mode)


def _in_srgb(file: Image.Image) -> Image.Image:
    """The colours of another space that the file names, such as a phone's Display P3 or a printer's CMYK, as sRGB."""
    named = file.info.get("icc_profile")
    if not named or file.mode not in ("RGB", "CMYK"):
        return file
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(named))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return file
        return ImageCms.profileToProfile(file, profile, ImageCms.createProfile("sRGB"), outputMode="RGB") or file
    except (OSError, ImageCms.PyCMSError):  # a damaged profile: the colours as they are
        return file


def _ends_in_zeros(path: Path, last: bytes) -> bool:
    """Whether the file has room for what was never fetched, which decoders take for a picture too."""
    content = path.read_bytes()
    kept = content.rstrip(b"\0")
    return len(content) - len(kept) > _PADDING and not (last and kept.endswith(last))
