"""PSNR, SSIM and LMD as the paper's own script computes them. Compare them with the paper's table only.

- PSNR: frames are enlarged to 256x256, turned grey and subtracted in bytes, so squares wrap modulo 256:
  10 log10(255^2 / mean((fake - real)^2 mod 256)). Unrelated pictures have 28 dB; the definition gives 8. The script
  enlarges by repeating pixels, which changes no mean, so this is left out here.
- SSIM: frames are enlarged to 256x256. Windows are uniform, 7x7, with the sample covariance: scikit-image's defaults.
- LMD: the distances of the mouth's 20 points are added up; the definition takes their mean. Frames without a face are
  left out.
"""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.landmarks.points import MOUTH
from pipeline.metrics.base import METRICS, FrameMean, MetricEntry
from pipeline.metrics.landmarks import PIXELS, landmark_distance
from pipeline.metrics.pixels import CAP_DB, shown_in, to_grey, to_levels, whole_windows
from pipeline.runtime.arrays import to_machine_code

SIZE, WINDOW = 256, 7
"""Sides in pixels of an enlarged frame and of a window. Windows that cross the border do not count."""
HALF = WINDOW // 2
MEAN, SAMPLE = np.float32(1 / WINDOW**2), np.float32(WINDOW**2 / (WINDOW**2 - 1))
"""Factors from a window's sums to means, and from the mean of products to the sample covariance."""
C1, C2 = np.float32(2 * (0.01 * 255) ** 2), np.float32(2 * (0.03 * 255) ** 2)
"""Twice SSIM's constants, since sum and difference have twice the terms of mean and variance."""


def paper_ssim(preds_TCHW: Tensor, target_TCHW: Tensor) -> Tensor:
    """SSIM of each frame (T,) in uniform windows of the enlarged frames; 1 for equal frames in [0, 1].

    Windows near a NaN pixel are left out; NaN if none is left. Raises ValueError unless the side divides `SIZE`.
    """
    shape, target_shape = preds_TCHW.shape, target_TCHW.shape
    height, width = shape[-2:]
    if shape[1:] != target_shape[1:] or height != width or SIZE % height:  # machine code checks no bounds
        raise ValueError(f"frames must be alike, square, and a part of {SIZE}, not {shape}, {target_shape}")
    windows_THW = [whole_windows(shown_HW, HALF) for shown_HW in shown_in(preds_TCHW) & shown_in(target_TCHW)]
    frames = zip(to_levels(preds_TCHW), to_levels(target_TCHW), windows_THW, strict=True)
    return torch.tensor([_ssim(*frame) if frame[2].any() else torch.nan for frame in frames])


@to_machine_code
def _ssim(fake_HWC: NDArray[np.uint8], real_HWC: NDArray[np.uint8], counted_HW: NDArray[np.bool_]) -> float:
    """The mean over colours and over windows whose centre lies in a counted pixel.

    A pixel covers ``factor`` pixels of the enlarged picture along each axis, so nothing is enlarged. The loops run over
    the enlarged row of a window's centre and over the centre's place within its pixel, for all columns at once. Sums of
    squares are whole numbers below 2^24, which float32 holds exactly.
    """
    side = len(fake_HWC)
    factor = SIZE // side
    moments = np.empty((4, side, side), np.float32)  # sum and difference of both pictures, and the squares of these
    rows = np.empty((4, side), np.float32)  # the moments, summed over the rows of a window
    means = np.empty((4, side), np.float32)
    total = np.zeros(side)
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
        for centre in range(HALF, SIZE - HALF):
            rows += moments[:, (centre + HALF) // factor]
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
                    if counted_HW[centre // factor, first + column]:
                        total[column] += above / ((mean + apart + C1) * (variance + variance_apart + C2))
                        count += 1
            rows -= moments[:, (centre - HALF) // factor]
    return float(total.sum() / count)


@to_machine_code
def _window_means(
    sums: NDArray[np.float32], first: int, columns: int, place: int, factor: int, means: NDArray[np.float32]
) -> None:
    """Means of ``columns`` windows from the small picture's column ``first`` on, centred at ``place`` in a pixel."""
    means[:] = 0
    for step in range(-HALF, HALF + 1):
        start = first + (place + step) // factor
        shifted = sums[start : start + columns]
        for column in range(columns):
            means[column] += shifted[column] * MEAN


def paper_psnr(preds_TCHW: Tensor, target_TCHW: Tensor) -> Tensor:
    """``wrapping_psnr`` of the grey levels of each frame (T,) in [0, 1]. NaN pixels are left out."""
    shown_THW = shown_in(preds_TCHW) & shown_in(target_TCHW)
    frames = zip(to_grey(preds_TCHW), to_grey(target_TCHW), shown_THW, strict=True)
    return torch.tensor([wrapping_psnr(fake[shown], real[shown]) for fake, real, shown in frames])


def wrapping_psnr(fake_HW: NDArray[np.uint8], real_HW: NDArray[np.uint8]) -> float:
    """In dB. `CAP_DB` if all squares are 0: for equal pictures, or 16 levels apart. NaN for pictures without pixels."""
    if not fake_HW.size:
        return float("nan")
    error = float(((fake_HW - real_HW) ** 2).mean())  # bytes wrap
    return 10 * float(np.log10(255**2 / error)) if error else CAP_DB


def paper_lmd(preds_T68x2: Tensor, target_T68x2: Tensor) -> Tensor:
    """sum_p || (real_p - mean_p real_p) - (fake_p - mean_p fake_p) ||_2 of the mouth (T,), in pixels of the face."""
    return landmark_distance(preds_T68x2, target_T68x2) * (MOUTH.stop - MOUTH.start)


_PAPER = partial(MetricEntry, source="the script of Chen et al., CVPR 2019", url="https://arxiv.org/abs/1905.03820")
_ABOUT = "{} by the paper's script. Compare it with the paper's table only."
# fmt: off
METRICS.add(
    _PAPER("paper_psnr", "PSNR by the paper's script (squares wrap)", partial(FrameMean, paper_psnr), "frames",
        unit="dB", higher_is_better=True, digits=2, about=_ABOUT.format("PSNR")),
    _PAPER("paper_ssim", "SSIM by the paper's script (256x256, uniform 7x7)", partial(FrameMean, paper_ssim), "frames",
        higher_is_better=True, about=_ABOUT.format("SSIM")),
    _PAPER("paper_lmd", "LMD by the paper's script (sum of 20 points)", partial(FrameMean, paper_lmd), unit=PIXELS,
        digits=2, about=_ABOUT.format("LMD")),
)
# fmt: on
