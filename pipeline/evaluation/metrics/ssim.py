"""SSIM (Wang et al. 2004: Gaussian window, sigma 1.5) on float RGB at the face's own size.

    SSIM = (2 m_f m_r + C1)(2 s_fr + C2) / ((m_f^2 + m_r^2 + C1)(s_f^2 + s_r^2 + C2))

of means m, variances s^2 and covariance s_fr within a window, C1 = (0.01 L)^2, C2 = (0.03 L)^2, L the range of the
levels. The same as torchmetrics has, which takes 14 to 20 times as long on a processor.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean

Plane = NDArray[np.float32]

GAUSSIAN = np.asarray(cv2.getGaussianKernel(11, 1.5, cv2.CV_32F), np.float32)
"""The window along either axis (11, 1)."""


def structural_similarity(
    fake: Plane, real: Plane, local_means: Callable[[Plane], Iterator[Plane]], levels: float, scale: float = 1.0
) -> Iterator[Plane]:
    """SSIM of two pictures (H, W), or (H, W, C) for each colour, in each window, -1 to 1.

    ``local_means`` gives a picture's mean in each window, in one array or in several, one of which is in memory at a
    time, and the answer is in as many. ``levels`` is the pictures' range. Variances and covariance are multiplied by
    ``scale``.
    """
    # Of sum and difference, whose squares have the product of both pictures and their squares: half the operations.
    both, apart = fake + real, fake - real
    c1, c2 = 2 * (0.01 * levels) ** 2, 2 * (0.03 * levels) ** 2
    means = (local_means(one) for one in (both, both * both, apart, apart * apart))
    for mean, variance, mean_apart, variance_apart in zip(*means, strict=True):
        for first, second in ((mean, variance), (mean_apart, variance_apart)):  # in place, which saves a fifth
            first *= first
            second -= first
            second *= scale
        similarity = (mean - mean_apart + c1) * (variance - variance_apart + c2)
        mean += mean_apart
        variance += variance_apart
        similarity /= (mean + c1) * (variance + c2)
        yield similarity


def _gaussian_means(picture: Plane) -> Iterator[Plane]:
    """About each pixel; beyond the border pictures are reflected."""
    yield np.asarray(cv2.sepFilter2D(picture, cv2.CV_32F, GAUSSIAN, GAUSSIAN), np.float32)


class Ssim(FrameMean):
    """The mean over pixels, colours and frames of ``structural_similarity`` in `GAUSSIAN` windows."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1]; 1 for equal ones."""
        assert target is not None
        fake, real = (frames.permute(0, 2, 3, 1).contiguous().cpu().numpy() for frames in (preds, target))
        pairs = zip(fake, real, strict=True)
        similarities = (structural_similarity(*pair, _gaussian_means, 1.0) for pair in pairs)
        return torch.tensor([float(similarity.mean()) for (similarity,) in similarities])


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
    )
)
