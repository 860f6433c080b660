"""Sharpness: CPBD, and the variance of the Laplacian.

CPBD is the share of edges on which no blur is seen (Narvekar and Karam, 2011). In each 64x64 block with edges, every
vertical edge pixel has a width w, from one end of its slope to the other along the row. A person sees blur on it with
the probability

    P = 1 - exp(-(w / w_JNB)^3.6)

where w_JNB, the width of a just noticeable blur, is 5 pixels in a block with a contrast of at most 50 levels, and 3 in
other blocks. CPBD is the share of edges with P <= 63%, the probability of a just noticeable blur: w <= w_JNB.
"""

from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.metrics.base import METRICS, FrameMean, MetricEntry
from pipeline.metrics.pixels import to_grey
from pipeline.runtime.arrays import to_machine_code

BLOCK = 64
"""Side of a block in pixels."""
EDGE_SHARE = 0.002
"""Share of a block's pixels that must be edges by Canny's detector for the block to count."""
CANNY_SIGMA, CANNY_HIGH, CANNY_LOW = 2**0.5, 0.7, 0.4
"""Canny's detector as in the authors' code, with MATLAB's defaults: sigma in pixels, the share of gradients below the
upper threshold, and the lower threshold over the upper one. So even a blurred picture has edges."""
CONTRAST = 50
"""Largest difference of levels in a block of low contrast."""
JNB_LOW, JNB_HIGH = 5, 3
"""w_JNB in pixels: in blocks of low contrast, and in others."""
SOBEL = 4.0
"""At a vertical edge, the square of Sobel's response exceeds its mean over the picture by this factor."""
SLANT = np.tan(np.pi / 8)
"""Largest slope of a horizontal gradient: directions are rounded to multiples of 45 degrees."""


def measure_cpbd(grey_HW: NDArray[np.uint8]) -> float:
    """CPBD of a picture, 0 (all edges blurred) to 1; NaN without edges. Incomplete blocks do not count."""
    widths_HW = edge_widths(grey_HW)
    canny_HW = _canny(grey_HW)
    height, width = grey_HW.shape
    edges = sharp = 0
    for top in range(0, height - BLOCK + 1, BLOCK):
        for left in range(0, width - BLOCK + 1, BLOCK):
            block = slice(top, top + BLOCK), slice(left, left + BLOCK)
            if np.count_nonzero(canny_HW[block]) > EDGE_SHARE * BLOCK**2:
                widths = widths_HW[block][widths_HW[block] > 0]
                contrast = int(grey_HW[block].max()) - int(grey_HW[block].min())
                edges += len(widths)
                sharp += int(np.count_nonzero(widths <= (JNB_LOW if contrast <= CONTRAST else JNB_HIGH)))
    return sharp / edges if edges else float("nan")


def _canny(grey_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Which pixels are edges (H, W), 0 elsewhere."""
    smooth = cv2.GaussianBlur(grey_HW, (0, 0), CANNY_SIGMA)
    across, along = (cv2.Sobel(smooth, cv2.CV_16S, *axis) for axis in ((1, 0), (0, 1)))
    gradients = np.ravel(cv2.magnitude(across.astype(np.float32), along.astype(np.float32)))
    at = int(CANNY_HIGH * gradients.size)
    high = float(np.partition(gradients, at)[at])
    return np.asarray(cv2.Canny(across, along, CANNY_LOW * high, high, L2gradient=True), np.uint8)


def edge_widths(grey_HW: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The width in pixels of each vertical edge (H, W), 0 elsewhere (Marziliano et al., 2002).

    Edges are the maxima of Sobel's response along the row. The slope of an edge extends to both sides as long as the
    levels strictly rise, or strictly fall at a falling edge.
    """
    response = np.square(cv2.Sobel(grey_HW, cv2.CV_32F, 1, 0))
    return np.asarray(_widths(grey_HW.astype(np.int16), response, SOBEL * response.mean()))


@to_machine_code
def _widths(levels_HW: NDArray[np.int16], response_HW: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    height, width = levels_HW.shape
    widths = np.zeros((height, width), np.intp)
    for row in range(1, height - 1):  # the border has no gradient
        levels, response = levels_HW[row], response_HW[row]
        for column in range(1, width - 1):
            if response[column] <= max(least, response[column - 1]) or response[column] < response[column + 1]:
                continue
            across = levels[column + 1] - levels[column - 1]
            along = levels_HW[row + 1, column] - levels_HW[row - 1, column]
            if across == 0 or abs(along) > SLANT * abs(across):
                continue
            sign = 1 if across > 0 else -1
            left, right = column - 1, column + 1
            while left > 0 and sign * (levels[left] - levels[left - 1]) > 0:
                left -= 1
            while right < width - 1 and sign * (levels[right + 1] - levels[right]) > 0:
                right += 1
            widths[row, column] = right - left
    return widths


def cpbd(preds_TCHW: Tensor) -> Tensor:
    """``measure_cpbd`` of each frame (T,) in [0, 1]."""
    return torch.tensor([measure_cpbd(grey_HW) for grey_HW in to_grey(preds_TCHW)])


def laplacian_variance(preds_TCHW: Tensor) -> Tensor:
    """var(I(x - 1, y) + I(x + 1, y) + I(x, y - 1) + I(x, y + 1) - 4 I(x, y)) of each frame (T,), I grey levels."""
    deviations = [cv2.meanStdDev(cv2.Laplacian(grey_HW, cv2.CV_16S))[1] for grey_HW in to_grey(preds_TCHW)]
    return torch.from_numpy(np.square(np.reshape(deviations, -1)))


# fmt: off
METRICS.add(
    MetricEntry("cpbd", "Sharpness (CPBD)", partial(FrameMean, cpbd), "frames", unit="share of the edges",
        higher_is_better=True, real=False,
        about="The share of edges that look sharp.",
        source="Narvekar and Karam, IEEE Transactions on Image Processing 20(9), 2011",
        url="https://doi.org/10.1109/TIP.2011.2131660"),
    MetricEntry("laplacian", "Sharpness (variance of the Laplacian)", partial(FrameMean, laplacian_variance),
        "frames", unit="grey levels squared", higher_is_better=True, digits=0, real=False,
        about="How much fine detail there is, noise included.",
        source="Pech-Pacheco et al., ICPR 2000", url="https://doi.org/10.1109/ICPR.2000.903548"),
)
# fmt: on
