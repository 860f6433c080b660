"""Sharpness as the variance of the Laplacian: how strong the finest structure is, noise included."""

import cv2
import numpy as np
import torch
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.evaluation.metrics.grey import to_grey


class LaplacianVariance(FrameMean):
    """The mean over frames of var(I(x - 1, y) + I(x + 1, y) + I(x, y - 1) + I(x, y + 1) - 4 I(x, y)), I grey levels."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1]; 0 for a flat one."""
        deviations = [cv2.meanStdDev(cv2.Laplacian(grey_HW, cv2.CV_16S))[1] for grey_HW in to_grey(preds)]
        return torch.from_numpy(np.square(np.reshape(deviations, -1)))


register(
    MetricEntry(
        name="laplacian",
        title="Sharpness (variance of the Laplacian)",
        unit="grey levels squared",
        higher_is_better=True,
        digits=0,
        compares="frames",
        make=LaplacianVariance,
        source="Pech-Pacheco et al., ICPR 2000",
        real=False,
        about="How much fine detail there is, noise included.",
        url="https://doi.org/10.1109/ICPR.2000.903548",
    )
)
