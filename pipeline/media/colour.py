"""Decoded pictures as 8-bit sRGB, the same bytes on every processor.

High dynamic range is reduced to ordinary range. White is where ITU-R BT.2408 puts it: at 75% of HLG's signal and at
203 cd/m2 of PQ. Up to nine tenths of white, brightness is kept; above, it is compressed up to full white.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from pipeline.media.upright import reduced

# By default swscale makes RGB one level too dark on average, and differently on different processors.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED; swscale then assumes BT.601
_BT601 = {5, 6}  # AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M
_LIMITED_RANGE = {ColorRange.UNSPECIFIED, ColorRange.MPEG}

BACKGROUND = 255
"""Level of all three colours behind transparent pixels: white."""

_WHITE = 16384  # white in fixed point
_BRIGHTEST = 4 * _WHITE - 1  # brighter light is clipped
_KNEE = 0.9  # share of white up to which brightness is kept
_TO_BT709 = {  # from linear RGB of these primaries: ITU-R BT.2087, and SMPTE EG 432-1 in the same way
    ColorPrimaries.BT2020: [[1.6605, -0.5877, -0.0728], [-0.1246, 1.1330, -0.0084], [-0.0182, -0.1006, 1.1188]],
    ColorPrimaries.SMPTE432: [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0982]],
}
_HDR = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}  # PQ and HLG


class ToRgb:
    """Converts the frames of one video to RGB, all at the size of the first; large frames are divided."""

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._swscale = VideoReformatter()

    def __call__(self, frame: Any) -> NDArray[np.uint8]:
        """Convert PyAV's ``frame`` to a new RGB array (H, W, 3)."""
        self._size = self._size or reduced(frame.width, frame.height)
        if self._is_common(frame):  # OpenCV is several times faster
            return np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)
        if not _is_standard(frame):
            return _to_srgb(self._converted(frame, "gbrp16le"), frame)  # swscale 9.5 computes rgb48 wrongly
        if frame.format.has_palette or any(component.is_alpha for component in frame.format.components):
            return _on_background(self._converted(frame, "rgba"))
        return np.array(self._converted(frame, "rgb24"))  # a copy: PyAV may return a view of the decoder's memory

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

    def _is_common(self, frame: Any) -> bool:
        """Whether the frame is of the kind that most cameras and corpora have, which OpenCV converts correctly."""
        return (
            frame.format.name == "yuv420p"
            and (frame.colorspace in _BT601 or (frame.colorspace == _UNSPECIFIED and not _is_hd(frame)))
            and frame.color_range in _LIMITED_RANGE
            and (frame.width, frame.height) == self._size
            and not (frame.width % 2 or frame.height % 2)
            and _is_standard(frame)
        )


def _is_hd(frame: Any) -> bool:
    """Whether players assume BT.709 for this size when the file names no colour space."""
    return bool(frame.width >= 1280 or frame.height > 576)


def _is_standard(frame: Any) -> bool:
    """Whether the frame has ordinary dynamic range and primaries."""
    return frame.color_trc not in _HDR and frame.color_primaries not in _TO_BT709


def _on_background(rgba_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour, alpha = rgba_HWC[..., :3].astype(np.uint16), rgba_HWC[..., 3:].astype(np.uint16)
    return ((colour * alpha + BACKGROUND * (255 - alpha) + 127) // 255).astype(np.uint8)


def _to_srgb(rgb16_HWC: NDArray[np.uint16], frame: Any) -> NDArray[np.uint8]:
    """Convert the frame's own full-range 16-bit RGB to sRGB, both (H, W, 3)."""
    light = _light(frame.color_trc)[rgb16_HWC]
    matrix = _TO_BT709.get(frame.color_primaries)
    if matrix is not None:
        whole = np.rint(np.array(matrix) * 4096).astype(np.int64)
        whole[:, 1] += 4096 - whole.sum(axis=1)  # grey stays grey
        r, g, b = (light[..., channel] for channel in range(3))
        light = np.stack([(int(x) * r + int(y) * g + int(z) * b) >> 12 for x, y, z in whole], axis=-1)
    return _signal(frame.color_trc in _HDR)[np.clip(light, 0, _BRIGHTEST)]


@cache
def _light(transfer: int) -> NDArray[np.int32]:
    """The light of each 16-bit signal, in parts of ``_WHITE``."""
    signal = np.arange(65536) / 65535
    if transfer == ColorTrc.ARIB_STD_B67:  # ITU-R BT.2100, table 5, light of the scene
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        light /= light[round(0.75 * 65535)]
    elif transfer == ColorTrc.SMPTE2084:  # ITU-R BT.2100, table 4
        root = signal ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        light *= 10000 / 203
    else:
        light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.minimum(np.rint(light * _WHITE), _BRIGHTEST), np.int32)


@cache
def _signal(roll_off: bool) -> NDArray[np.uint8]:
    """The 8-bit sRGB signal of each light; ``roll_off`` leaves room for light brighter than white."""
    light = np.arange(_BRIGHTEST + 1) / _WHITE
    if roll_off:
        bright = _KNEE + (1 - _KNEE) * -np.expm1(-(light - _KNEE) / (1 - _KNEE))
        light = np.where(light > _KNEE, bright, light)
    light = np.clip(light, 0, 1)
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(signal * 255), np.uint8)
