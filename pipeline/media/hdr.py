"""High dynamic range and wide colours as ordinary ones (sRGB), the same bytes on every processor.

White of ordinary video is where ITU-R BT.2408 puts it: at 75% of HLG's signal and 203 cd/m2 of PQ's. What is darker
than nine tenths of it keeps its brightness; what is brighter is pressed together up to full white.
"""

from functools import cache
from typing import Any

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

_ONE = 16384  # white in fixed point; the brightest that is told apart is four times as bright
_TOP = 4 * _ONE - 1
_KNEE = 0.9
_TO_BT709 = {  # from linear RGB of these primaries; ITU-R BT.2087, and SMPTE EG 432-1 in the same way
    ColorPrimaries.BT2020: [[1.6605, -0.5877, -0.0728], [-0.1246, 1.1330, -0.0084], [-0.0182, -0.1006, 1.1188]],
    ColorPrimaries.SMPTE432: [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0982]],
}
_HDR = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}


def is_ordinary(frame: Any) -> bool:
    """Whether PyAV's ``frame`` needs nothing of this file."""
    return frame.color_trc not in _HDR and frame.color_primaries not in _TO_BT709


def to_srgb(rgb16_HWC: NDArray[np.uint16], frame: Any) -> NDArray[np.uint8]:
    """RGB (H, W, 3) for an ordinary screen; ``rgb16_HWC`` is the frame's own RGB, full range, of 16 bit."""
    light = _light(frame.color_trc)[rgb16_HWC]
    matrix = _TO_BT709.get(frame.color_primaries)
    if matrix is not None:
        whole = np.rint(np.array(matrix) * 4096).astype(np.int64)
        whole[:, 1] += 4096 - whole.sum(axis=1)  # grey stays grey
        r, g, b = (light[..., channel] for channel in range(3))
        light = np.stack([(int(x) * r + int(y) * g + int(z) * b) >> 12 for x, y, z in whole], axis=-1)
    return _signal(frame.color_trc in _HDR)[np.clip(light, 0, _TOP)]


@cache
def _light(transfer: int) -> NDArray[np.int32]:
    """For each 16-bit signal the light it stands for, in parts of white's ``_ONE``."""
    signal = np.arange(65536) / 65535
    if transfer == ColorTrc.ARIB_STD_B67:  # ITU-R BT.2100, table 5, of the scene
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        light /= light[round(0.75 * 65535)]
    elif transfer == ColorTrc.SMPTE2084:  # ITU-R BT.2100, table 4
        root = signal ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        light *= 10000 / 203
    else:
        light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.minimum(np.rint(light * _ONE), _TOP), np.int32)


@cache
def _signal(roll_off: bool) -> NDArray[np.uint8]:
    """For each light the 8-bit signal of sRGB; with ``roll_off`` there is room for what is brighter than white."""
    light = np.arange(_TOP + 1) / _ONE
    if roll_off:
        bright = _KNEE + (1 - _KNEE) * -np.expm1(-(light - _KNEE) / (1 - _KNEE))
        light = np.where(light > _KNEE, bright, light)
    light = np.clip(light, 0, 1)
    signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(signal * 255), np.uint8)
