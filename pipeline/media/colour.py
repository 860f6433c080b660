"""Decoded pictures as RGB, the same bytes on every processor."""

from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from pipeline.media.hdr import is_ordinary, to_srgb
from pipeline.media.upright import reduced

# swscale's default for YUV to RGB is one level too dark on average, and differs between processors.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED, which swscale takes for BT.601
_BT601 = {5, 6}  # _BT470BG, _SMPTE170M
_LIMITED = {ColorRange.UNSPECIFIED, ColorRange.MPEG}

PLAIN = 255
"""Level of all three colours of the ground that is put behind transparent pixels: white, as of paper."""


class ToRgb:
    """Converts the frames of one video, all to the size of the first, or a fraction of it where that is large."""

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._swscale = VideoReformatter()

    def __call__(self, frame: Any) -> NDArray[np.uint8]:
        """The RGB picture (H, W, 3) of PyAV's ``frame``, an array of its own."""
        self._size = self._size or reduced(frame.width, frame.height)
        if self._usual(frame):
            return np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)
        if not is_ordinary(frame):
            return to_srgb(self._converted(frame, "gbrp16le"), frame)  # rgb48 comes out wrong in swscale 9.5
        if frame.format.has_palette or any(component.is_alpha for component in frame.format.components):
            return _on_plain_ground(self._converted(frame, "rgba"))
        return np.array(self._converted(frame, "rgb24"))  # what PyAV gives may be a view of the decoder's memory

    def _converted(self, frame: Any, layout: str) -> NDArray[Any]:
        assert self._size is not None
        converted = self._swscale.reformat(
            frame,
            *self._size,
            format=layout,
            src_colorspace=Colorspace.ITU709 if frame.colorspace == _UNSPECIFIED and _is_hd(frame) else None,
            interpolation=_EXACT,
            threads=1,
        )
        return np.asarray(converted.to_ndarray())

    def _usual(self, frame: Any) -> bool:
        """Whether OpenCV, which is several times faster, can do it: what cameras and corpora mostly have."""
        return (
            frame.format.name == "yuv420p"
            and (frame.colorspace in _BT601 or (frame.colorspace == _UNSPECIFIED and not _is_hd(frame)))
            and frame.color_range in _LIMITED
            and (frame.width, frame.height) == self._size
            and not (frame.width % 2 or frame.height % 2)
            and is_ordinary(frame)
        )


def _is_hd(frame: Any) -> bool:
    """Of a size whose colours are BT.709 where the file does not say, as players have it."""
    return bool(frame.width >= 1280 or frame.height > 576)


def _on_plain_ground(rgba_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What shows where the picture is transparent is white, not the colour that happens to be stored there."""
    colour, alpha = rgba_HWC[..., :3].astype(np.uint16), rgba_HWC[..., 3:].astype(np.uint16)
    return ((colour * alpha + PLAIN * (255 - alpha) + 127) // 255).astype(np.uint8)
