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
from pipeline.evaluation.metrics.ssim import structural_similarity

SIZE = 256
UNIFORM = np.full((7, 1), 1 / 7, np.float32)
INSIDE = slice(3, -3)
"""Where its windows lie within the picture; others do not count."""


def enlarge(frame_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As the script does, `SIZE` pixels to a side."""
    return np.asarray(cv2.resize(frame_HWC, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


class PaperSsim(FrameMean):
    """The mean over frames of ``structural_similarity`` in `UNIFORM` windows of the enlarged frames."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1]; 1 for equal ones."""
        assert target is not None
        fake, real = ((enlarge(one).astype(np.float32) for one in to_levels(frames)) for frames in (preds, target))
        maps = (structural_similarity(*pair, UNIFORM, 255.0, sample=True) for pair in zip(fake, real, strict=True))
        return torch.tensor([float(ssim_HWC[INSIDE, INSIDE].mean()) for ssim_HWC in maps])


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
