"""SSIM as the paper's own script computes it, to be set beside the paper's table and nothing else: frames are enlarged
to 256x256 first, and the window is a uniform one of 7x7 with the sample's covariance, as scikit-image has them where
nothing is said.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.evaluation.metrics.grey import to_levels
from pipeline.evaluation.metrics.ssim import Plane, structural_similarity

SIZE, WINDOW = 256, 7
"""Pixels a side of an enlarged frame, and of a window that lies within it; others do not count."""
SAMPLE = WINDOW**2 / (WINDOW**2 - 1)
"""A sample's covariance, of the mean of products."""


class PaperSsim(FrameMean):
    """The mean over frames of ``structural_similarity`` in uniform windows of the enlarged frames."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1], whose side divides `SIZE`; 1 for equal ones."""
        assert target is not None
        pairs = zip(to_levels(preds), to_levels(target), strict=True)
        return torch.tensor([_ssim(fake, real) for fake, real in pairs])


def _ssim(fake_HWC: NDArray[np.uint8], real_HWC: NDArray[np.uint8]) -> float:
    # Each pixel is so many of the enlarged picture along either axis that nothing has to be enlarged.
    windows = list(product(_windows(SIZE // len(fake_HWC)), repeat=2))

    def means(picture_HW: Plane) -> Iterator[Plane]:
        for (rows_K1, _), (columns_K1, _) in windows:
            yield np.asarray(cv2.sepFilter2D(picture_HW, cv2.CV_32F, rows_K1, columns_K1), np.float32)

    total = count = 0.0
    for colour in range(fake_HWC.shape[-1]):  # all at once do not fit the processor's cache, and take longer
        fake, real = (frame[..., colour].astype(np.float32) for frame in (fake_HWC, real_HWC))
        similarities = structural_similarity(fake, real, means, 255.0, SAMPLE)
        for similarity, ((_, columns), (_, rows)) in zip(similarities, windows, strict=True):
            total += float(similarity[rows, columns].sum())
            count += similarity[rows, columns].size
    return total / count


@cache
def _windows(factor: int) -> list[tuple[NDArray[np.float32], slice]]:
    """For each place of a window's middle within a pixel, how much of the window each pixel around has along an axis
    (K, 1), and at which pixels the window lies within the picture.
    """
    half = WINDOW // 2
    reach = -(-half // factor)
    windows = []
    for middle in range(factor):
        pixels = np.arange(middle - half, middle + half + 1) // factor
        shares = np.bincount(pixels + reach, minlength=2 * reach + 1)[:, None] / WINDOW
        windows.append((shares.astype(np.float32), slice(-int(pixels[0]), (SIZE - 1 - half - middle) // factor + 1)))
    return windows


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
