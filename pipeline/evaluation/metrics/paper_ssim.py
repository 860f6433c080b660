"""SSIM as the paper's own script computes it, to be set beside the paper's table and nothing else: frames are enlarged
to 256x256 first, and the window is a uniform one of 7x7 with the sample's covariance, as scikit-image has them where
nothing is said.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.evaluation.metrics.grey import to_levels
from pipeline.evaluation.metrics.paper_psnr import enlarge
from pipeline.evaluation.metrics.ssim import structural_similarity

UNIFORM = np.full((7, 1), 1 / 7, np.float32)
INSIDE = slice(3, -3)
"""Where its windows lie within the picture; others do not count."""


class PaperSsim(FrameMean):
    """The mean over frames of ``structural_similarity`` in `UNIFORM` windows of the enlarged frames."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1]; 1 for equal ones."""
        assert target is not None
        pairs = zip(to_levels(preds), to_levels(target), strict=True)
        return torch.tensor([_ssim(enlarge(fake), enlarge(real)) for fake, real in pairs])


def _ssim(fake_HWC: NDArray[np.uint8], real_HWC: NDArray[np.uint8]) -> float:
    # By colour: all three at once do not fit the processor's cache, and take longer.
    total = 0.0
    for fake, real in zip(cv2.split(fake_HWC), cv2.split(real_HWC), strict=True):
        ssim = structural_similarity(fake.astype(np.float32), real.astype(np.float32), UNIFORM, 255.0, sample=True)
        total += float(ssim[INSIDE, INSIDE].mean())
    return total / len(fake_HWC[0, 0])


register(
    MetricEntry(
        name="paper_ssim",
        title="SSIM by the paper's script (256x256, uniform 7x7)",
        unit="",
        higher_is_better=True,
        digits=3,
        compares="frames",
        make=PaperSsim,
        source="the script of Chen et al., CVPR 2019",
    )
)
