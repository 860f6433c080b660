"""Decoded pictures as RGB, the same bytes on every processor."""

from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

# swscale's default for YUV to RGB is one level too dark on average, and differs between processors.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT
_BT601 = {2, 5, 6}  # AVCOL_SPC_UNSPECIFIED (which swscale takes for BT.601 too), _BT470BG, _SMPTE170M
_LIMITED = {ColorRange.UNSPECIFIED, ColorRange.MPEG}


class ToRgb:
    """Converts the frames of one video, all to the size of the first."""

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._swscale = VideoReformatter()

    def __call__(self, frame: Any) -> NDArray[np.uint8]:
        """The RGB picture (H, W, 3) of PyAV's ``frame``, an array of its own."""
        self._size = self._size or (frame.width, frame.height)
        if self._usual(frame):
            return np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)
        rgb = self._swscale.reformat(frame, *self._size, format="rgb24", interpolation=_EXACT, threads=1)
        return np.array(rgb.to_ndarray(), dtype=np.uint8)  # what PyAV gives may be a view of the decoder's memory

    def _usual(self, frame: Any) -> bool:
        """Whether OpenCV, which is several times faster, can do it: what cameras and corpora mostly have."""
        return (
            frame.format.name == "yuv420p"
            and frame.colorspace in _BT601
            and frame.color_range in _LIMITED
            and (frame.width, frame.height) == self._size
            and not (frame.width % 2 or frame.height % 2)
        )
