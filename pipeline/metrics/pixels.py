"""PSNR and SSIM of float RGB frames at the face's own size, and conversions of frames for other metrics."""

from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary
from torchmetrics.image import PeakSignalNoiseRatio

from pipeline.metrics.base import METRICS, FrameMean, MetricEntry

CAP_DB = 100.0
"""PSNR of equal frames, where the definition says infinity. Nothing else reaches it: 8-bit frames that differ in one
value have 95 dB."""
GAUSSIAN = np.asarray(cv2.getGaussianKernel(11, 1.5, cv2.CV_32F), np.float32)
"""SSIM's window along either axis (11, 1)."""

_LEVELS = WeakTensorKeyDictionary()
"""The levels of frames that are still in use, since several metrics get the same frames."""


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
    """Luma (T, H, W), 0.299 R + 0.587 G + 0.114 B in levels of 0 to 255 (ITU-R BT.601)."""
    levels_THWC = to_levels(frames_TCHW)
    frames, height, width = levels_THWC.shape[:3]
    grey = cv2.cvtColor(levels_THWC.reshape(frames * height, width, 3), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8).reshape(frames, height, width)


class CappedPsnr(PeakSignalNoiseRatio):
    """The mean over frames of 10 log10(1 / MSE), each at most `CAP_DB`, of frames in [0, 1]."""

    sum_squared_error: list[Tensor]
    total: list[Tensor]

    def __init__(self) -> None:
        super().__init__(data_range=1.0, reduction="none", dim=(1, 2, 3))

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add frames (T, 3, H, W). NaN pixels are left out."""
        squares = (preds - target).square()
        if not squares.isnan().any():
            super().update(preds, target)
            return
        counted = ~squares.isnan()
        known = counted.any(dim=(1, 2, 3))
        self.sum_squared_error.append(squares.nansum(dim=(1, 2, 3))[known])
        self.total.append(counted.sum(dim=(1, 2, 3))[known])

    def compute(self) -> Tensor:
        """In dB."""
        return super().compute().clamp(max=CAP_DB).mean()


def ssim(preds_TCHW: Tensor, target_TCHW: Tensor) -> Tensor:
    """The mean of ``structural_similarity`` over each frame (T,) in [0, 1], without windows with a NaN pixel.

    1 for equal frames, NaN if no window is left.
    """
    fake, real = (frames.permute(0, 2, 3, 1).contiguous().cpu().numpy() for frames in (preds_TCHW, target_TCHW))
    return torch.tensor([_frame_ssim(*pair) for pair in zip(fake, real, strict=True)])


def _frame_ssim(fake_HWC: NDArray[np.float32], real_HWC: NDArray[np.float32]) -> float:
    shown_HW = ~np.isnan(fake_HWC - real_HWC).any(axis=2)
    if shown_HW.all():
        return float(structural_similarity(fake_HWC, real_HWC).mean())
    windows_HW = whole_windows(shown_HW, len(GAUSSIAN) // 2)
    filled = (np.where(shown_HW[:, :, None], frame, np.float32(0)) for frame in (fake_HWC, real_HWC))
    return float(structural_similarity(*filled)[windows_HW].mean()) if windows_HW.any() else float("nan")


def structural_similarity(fake: NDArray[np.float32], real: NDArray[np.float32]) -> NDArray[np.float32]:
    """SSIM of two pictures (H, W) or (H, W, C) in [0, 1] in the `GAUSSIAN` window about each pixel, -1 to 1.

    SSIM = (2 m_f m_r + C1)(2 s_fr + C2) / ((m_f^2 + m_r^2 + C1)(s_f^2 + s_r^2 + C2))

    with means m, variances s^2 and covariance s_fr in the window, C1 = 0.01^2 and C2 = 0.03^2. Pictures are reflected
    at the border. Torchmetrics computes the same, 14 to 20 times slower on a CPU.
    """

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.sepFilter2D(values, cv2.CV_32F, GAUSSIAN, GAUSSIAN), np.float32)

    mean_fake, mean_real = mean(fake), mean(real)
    product, squares = mean_fake * mean_real, mean_fake * mean_fake + mean_real * mean_real
    covariance, variances = mean(fake * real) - product, mean(fake * fake + real * real) - squares
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
    return np.asarray(ssim, np.float32)


def whole_windows(shown_HW: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """The centres (H, W) of windows of ``reach`` pixels to each side that contain shown pixels only.

    Windows may reach beyond the border of the picture.
    """
    side = 2 * reach + 1
    return np.asarray(cv2.erode(shown_HW.astype(np.uint8), np.ones((side, side), np.uint8)), np.bool_)


# fmt: off
METRICS.add(
    MetricEntry("psnr", "PSNR", CappedPsnr, "frames", unit="dB", higher_is_better=True, digits=2,
        about="How far the pixels differ."),
    MetricEntry("ssim", "SSIM", partial(FrameMean, ssim), "frames", higher_is_better=True,
        about="How far the structure of small windows differs; 1 is equal.",
        source="Wang et al., IEEE Transactions on Image Processing 13(4), 2004",
        url="https://doi.org/10.1109/TIP.2003.819861"),
)
# fmt: on
