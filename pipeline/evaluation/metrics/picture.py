"""PSNR and SSIM as they are defined, on float RGB at the face's own 128x128."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure


class PictureMetrics(MetricCollection):
    """``psnr`` in dB, the mean over frames of 10 log10(1 / MSE), and ``ssim`` (Wang et al. 2004: Gaussian window, sigma
    1.5).

    ``add(real, fake)`` takes uint8 RGB frames (T, H, W, 3).
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "psnr": PeakSignalNoiseRatio(data_range=1.0, reduction="elementwise_mean", dim=(1, 2, 3)),
                "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
            },
            compute_groups=False,
        )

    def add(self, real_THWC: NDArray[np.uint8], fake_THWC: NDArray[np.uint8]) -> None:
        """Add frames."""
        self.update(_float(fake_THWC), _float(real_THWC))


def _float(frames_THWC: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(frames_THWC.astype(np.float32) / 255.0).permute(0, 3, 1, 2)
