"""A picture file as RGB: upright, opaque, and of limited size."""

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from pipeline.media.colour import BACKGROUND
from pipeline.media.errors import MediaError, error_text, raised_by_library
from pipeline.media.read import read_frames
from pipeline.media.upright import MAX_SIDE
from pipeline.runtime.errors import PipelineError

# Not all that Pillow knows: it would pass PostScript to Ghostscript, which executes it.
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
# The last bytes of files of these formats; b"" is anything but zeros.
_LAST_BYTES = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "WEBP": b"", "AVIF": b"", "HEIF": b""}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the first bytes
_MAX_PADDING = 64  # zeros that a complete file may end with
_MAX_PIXELS = 25_000_000  # larger pictures are reduced: a face in them still has more pixels than a crop
_MAX_DECODED = 108_000_000  # pixels decoded at full size: as many as the largest phones have

pillow_heif.register_heif_opener()


def read_picture(path: Path) -> NDArray[np.uint8]:
    """RGB (H, W, 3) of a JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP, GIF, PPM or JPEG 2000, turned as its EXIF says.

    Transparent pixels become white. A picture of more than 25 megapixels or 16,384 pixels a side is divided by a whole
    number. Raises PipelineError when the file is not a picture, is damaged or incomplete, or is too large for memory.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS) as file:
            return _decoded(path, file)
    except PipelineError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise _too_large(path) from None
    except UnidentifiedImageError:
        if not _is_tiff(path):
            advice = "Give a JPEG or PNG. If it is one, the file is incomplete: copy or download it again."
            raise PipelineError(
                "is neither a picture nor a video that can be read", subject=path, advice=advice
            ) from None
        try:
            return next(read_frames(path))  # such as floating-point colours
        except MediaError:
            why = "is an incomplete TIFF, or one of a kind that cannot be read"
            advice = "Copy or download it again, or save it as a JPEG or PNG."
            raise PipelineError(why, subject=path, advice=advice) from None
    except Exception as error:  # decoders raise many types of errors for damaged files
        if not raised_by_library(error):
            raise
        if isinstance(error, OSError) and error.errno:
            why = f"cannot be read as a picture: {error.strerror}"
            raise PipelineError(why, subject=path, advice="Give another.") from None
        raise _broken(path, error_text(error)) from None


def is_picture(path: Path) -> bool:
    """Whether the file has a format of `read_picture`; it may still be damaged."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS):
            return True
    except UnidentifiedImageError:
        return _is_tiff(path)
    except Exception as error:  # a damaged or protected file: `read_picture` raises the error
        if not raised_by_library(error):
            raise
        return True


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF


def _broken(path: Path, why: str) -> PipelineError:
    return PipelineError(f"is damaged or incomplete: fetch it again, or give another picture ({why})", subject=path)


def _too_large(path: Path) -> PipelineError:
    advice = f"Give it with at most {_MAX_DECODED // 10**6} megapixels."
    return PipelineError("has too many pixels to read", subject=path, advice=advice)


def _decoded(path: Path, file: Image.Image) -> NDArray[np.uint8]:
    is_baseline_jpeg = file.format == "JPEG" and not file.info.get("progressive")
    if not is_baseline_jpeg and math.prod(file.size) > _MAX_DECODED:
        raise _too_large(path)
    factor = _reduction(file)
    if factor > 1:  # baseline JPEG is then decoded at a smaller size, which is fast; other formats ignore it
        file.draft(None, (max(1, file.width // factor), max(1, file.height // factor)))
    file.load()
    ImageOps.exif_transpose(file, in_place=True)
    if file.format in _LAST_BYTES and _ends_in_zeros(path, _LAST_BYTES[file.format]):
        raise _broken(path, "its end is missing")
    shown = _as(file, "RGBA") if file.has_transparency_data else _eight_bit(path, file)
    if (rest := _reduction(shown)) > 1:
        shown = shown.reduce(rest)
    if shown.mode == "RGBA":
        shown = Image.alpha_composite(Image.new("RGBA", shown.size, (BACKGROUND, BACKGROUND, BACKGROUND)), shown)
    return np.array(_as(shown, "RGB"))


def _reduction(file: Image.Image) -> int:
    """The whole number by which a picture's sides are divided."""
    return max(math.ceil(math.sqrt(math.prod(file.size) / _MAX_PIXELS)), math.ceil(max(file.size) / MAX_SIDE))


def _eight_bit(path: Path, file: Image.Image) -> Image.Image:
    """RGB. 16-bit grey keeps its upper byte; Pillow itself would clip it at 255."""
    if file.mode.startswith("I;16"):
        values: Any = np.asarray(file)
        file = Image.fromarray((values >> 8).astype(np.uint8))
    elif file.mode in ("I", "F"):
        why = "cannot be read as a picture: its values have no known range"
        raise PipelineError(why, subject=path, advice="Give a JPEG or PNG.")
    return _as(_in_srgb(file), "RGB")


def _as(file: Image.Image, mode: str) -> Image.Image:
    """Converted to ``mode``, without a copy when it has that mode: copies of large pictures take much memory."""
    return file if file.mode == mode else file.convert(mode)


def _in_srgb(file: Image.Image) -> Image.Image:
    """Convert from the file's colour profile, such as a phone's Display P3 or a printer's CMYK, to sRGB."""
    embedded = file.info.get("icc_profile")
    if not embedded or file.mode not in ("RGB", "CMYK"):
        return file
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return file
        return ImageCms.profileToProfile(file, profile, ImageCms.createProfile("sRGB"), outputMode="RGB") or file
    except (OSError, ImageCms.PyCMSError):  # a damaged profile: keep the colours
        return file


def _ends_in_zeros(path: Path, last: bytes) -> bool:
    """Whether zeros stand where an incomplete download would continue; decoders accept such files."""
    content = path.read_bytes()
    kept = content.rstrip(b"\0")
    return len(content) - len(kept) > _MAX_PADDING and not (last and kept.endswith(last))
