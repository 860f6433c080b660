"""Frames as the definitions of many metrics have them: in 256 levels, and grey."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_LEVELS = WeakTensorKeyDictionary()
"""Of frames that are still in use: several metrics are given the same."""


def to_levels(frames_TCHW: Tensor) -> NDArray[np.uint8]:
    """RGB in [0, 1], (T, 3, H, W), as levels of 0 to 255, (T, H, W, 3); 0 for NaN."""
    if frames_TCHW not in _LEVELS:
        levels = (frames_TCHW.nan_to_num() * 255).round_().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
        levels.setflags(write=False)
        _LEVELS[frames_TCHW] = levels
    return np.asarray(_LEVELS[frames_TCHW])


def shown_in(frames_TCHW: Tensor) -> NDArray[np.bool_]:
    """Which pixels (T, H, W) are not NaN."""
    return np.asarray((~frames_TCHW.isnan().any(dim=1)).cpu().numpy(), np.bool_)


def to_grey(frames_TCHW: Tensor) -> NDArray[np.uint8]:
    """Their luma (T, H, W), 0.299 R + 0.587 G + 0.114 B in levels of 0 to 255 (ITU-R BT.601)."""
    levels_THWC = to_levels(frames_TCHW)
    frames, height, width = levels_THWC.shape[:3]
    grey = cv2.cvtColor(levels_THWC.reshape(frames * height, width, 3), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8).reshape(frames, height, width)
