"""SSIM (Wang et al. 2004: Gaussian window, sigma 1.5) on float RGB at the face's own size.

    SSIM = (2 m_f m_r + C1)(2 s_fr + C2) / ((m_f^2 + m_r^2 + C1)(s_f^2 + s_r^2 + C2))

of means m, variances s^2 and covariance s_fr within a window, C1 = (0.01 L)^2, C2 = (0.03 L)^2, L the range of the
levels. The same as torchmetrics has, which takes 14 to 20 times as long on a processor.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean

GAUSSIAN = np.asarray(cv2.getGaussianKernel(11, 1.5, cv2.CV_32F), np.float32)
"""The window along either axis (11, 1)."""


def structural_similarity(fake: NDArray[np.float32], real: NDArray[np.float32]) -> NDArray[np.float32]:
    """SSIM of two pictures (H, W) in [0, 1], or (H, W, C) for each colour, in the window about each pixel, -1 to 1;
    beyond the border pictures are reflected.
    """

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.sepFilter2D(values, cv2.CV_32F, GAUSSIAN, GAUSSIAN), np.float32)

    mean_fake, mean_real = mean(fake), mean(real)
    product, squares = mean_fake * mean_real, mean_fake * mean_fake + mean_real * mean_real
    covariance, variances = mean(fake * real) - product, mean(fake * fake + real * real) - squares
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
    return np.asarray(ssim, np.float32)


def counted(shown_HW: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Which windows (H, W), by their middle, lie within the pixels that are shown: ``reach`` pixels to each side.

    Windows may go beyond the border of the picture.
    """
    side = 2 * reach + 1
    return np.asarray(cv2.erode(shown_HW.astype(np.uint8), np.ones((side, side), np.uint8)), np.bool_)


class Ssim(FrameMean):
    """The mean over pixels, colours and frames of ``structural_similarity`` in `GAUSSIAN` windows.

    Windows with a pixel that is NaN are left out.
    """

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1]; 1 for equal ones, NaN where no window is left."""
        assert target is not None
        fake, real = (frames.permute(0, 2, 3, 1).contiguous().cpu().numpy() for frames in (preds, target))
        pairs = zip(fake, real, strict=True)
        return torch.tensor([_of_frame(*pair) for pair in pairs])


def _of_frame(fake_HWC: NDArray[np.float32], real_HWC: NDArray[np.float32]) -> float:
    shown_HW = ~np.isnan(fake_HWC - real_HWC).any(axis=2)
    if shown_HW.all():
        return float(structural_similarity(fake_HWC, real_HWC).mean())
    windows_HW = counted(shown_HW, len(GAUSSIAN) // 2)
    filled = (np.where(shown_HW[:, :, None], one, np.float32(0)) for one in (fake_HWC, real_HWC))
    return float(structural_similarity(*filled)[windows_HW].mean()) if windows_HW.any() else float("nan")


register(
    MetricEntry(
        name="ssim",
        title="SSIM",
        unit="",
        higher_is_better=True,
        digits=3,
        compares="frames",
        make=Ssim,
        source="Wang et al., IEEE Transactions on Image Processing 13(4), 2004",
        about="How far the structure of small windows differs; 1 is equal.",
        url="https://doi.org/10.1109/TIP.2003.819861",
    )
)
