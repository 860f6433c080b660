"""SSIM as the paper's own script computes it, to be set beside the paper's table and nothing else: frames are enlarged
to 256x256 first, and the window is a uniform one of 7x7 with the sample's covariance, as scikit-image has them where
nothing is said.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.evaluation.metrics.grey import shown_in, to_levels
from pipeline.evaluation.metrics.ssim import counted
from pipeline.runtime.arrays import to_machine_code

SIZE, WINDOW = 256, 7
"""Pixels a side of an enlarged frame, and of a window that lies within it; others do not count."""
HALF = WINDOW // 2
MEAN, SAMPLE = np.float32(1 / WINDOW**2), np.float32(WINDOW**2 / (WINDOW**2 - 1))
"""Of a window's sums, and from the mean of products to a sample's covariance."""
C1, C2 = np.float32(2 * (0.01 * 255) ** 2), np.float32(2 * (0.03 * 255) ** 2)
"""Twice SSIM's constants, since sum and difference have twice the mean's and the variance's terms."""


class PaperSsim(FrameMean):
    """The mean over frames of SSIM in uniform windows of the enlarged frames."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, side, side) in [0, 1], whose side divides `SIZE`; 1 for equal ones. Windows near a pixel
        that is NaN are left out; NaN where none is left.

        Raises ValueError for others.
        """
        assert target is not None
        height, width = preds.shape[-2:]
        if preds.shape[1:] != target.shape[1:] or height != width or SIZE % height:  # machine code checks no bounds
            raise ValueError(f"frames must be alike, square, and a part of {SIZE}, not {preds.shape}, {target.shape}")
        windows_THW = [counted(one, HALF) for one in shown_in(preds) & shown_in(target)]
        frames = zip(to_levels(preds), to_levels(target), windows_THW, strict=True)
        return torch.tensor([_ssim(*one) if one[2].any() else torch.nan for one in frames])


@to_machine_code
def _ssim(fake_HWC: NDArray[np.uint8], real_HWC: NDArray[np.uint8], counted_HW: NDArray[np.bool_]) -> float:
    """The mean over windows and colours, of those windows whose middle lies in a pixel that is counted.

    Each pixel is ``factor`` of the enlarged picture along either axis, so nothing has to be enlarged: windows are gone
    through by the enlarged row of their middle, and in it by where within a pixel the middle is, all columns at once.
    Sums of squares stay whole numbers below 2^24, which are exact.
    """
    side = len(fake_HWC)
    factor = SIZE // side
    moments = np.empty((4, side, side), np.float32)  # sum and difference of both pictures, and the squares of these
    rows = np.empty((4, side), np.float32)  # of them, summed over the rows of a window
    means = np.empty((4, side), np.float32)
    found = np.zeros(side)
    count = 0
    for colour in range(fake_HWC.shape[2]):
        for row in range(side):
            for column in range(side):
                fake, real = np.float32(fake_HWC[row, column, colour]), np.float32(real_HWC[row, column, colour])
                moments[0, row, column], moments[1, row, column] = fake + real, (fake + real) ** 2
                moments[2, row, column], moments[3, row, column] = fake - real, (fake - real) ** 2
        rows[:] = 0
        for row in range(WINDOW - 1):
            rows += moments[:, row // factor]
        for middle in range(HALF, SIZE - HALF):
            rows += moments[:, (middle + HALF) // factor]
            for place in range(factor):
                first = -((place - HALF) // factor)
                columns = (SIZE - 1 - HALF - place) // factor + 1 - first
                for number in range(4):
                    _window_means(rows[number], first, columns, place, factor, means[number])
                for column in range(columns):
                    mean, apart = means[0, column] ** 2, means[2, column] ** 2
                    variance = (means[1, column] - mean) * SAMPLE
                    variance_apart = (means[3, column] - apart) * SAMPLE
                    above = (mean - apart + C1) * (variance - variance_apart + C2)
                    if counted_HW[middle // factor, first + column]:
                        found[column] += above / ((mean + apart + C1) * (variance + variance_apart + C2))
                        count += 1
            rows -= moments[:, (middle - HALF) // factor]
    return float(found.sum() / count)


@to_machine_code
def _window_means(
    sums: NDArray[np.float32], first: int, columns: int, place: int, factor: int, means: NDArray[np.float32]
) -> None:
    """Of so many windows from the small picture's column ``first`` on, whose middle is at ``place`` in its pixel."""
    means[:] = 0
    for step in range(-HALF, HALF + 1):
        start = first + (place + step) // factor
        of_step = sums[start : start + columns]
        for column in range(columns):
            means[column] += of_step[column] * MEAN


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
        about="SSIM by the paper's script. Compare it with the paper's table only.",
        url="https://arxiv.org/abs/1905.03820",
    )
)
