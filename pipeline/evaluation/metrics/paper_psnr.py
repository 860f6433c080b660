"""PSNR as the paper's own script computes it, to be set beside the paper's table and nothing else.

Frames are enlarged to 256x256 and turned grey, and their difference is squared in bytes, so that squares wrap modulo
256: 10 log10(255^2 / mean((fake - real)^2 mod 256)). Unrelated pictures have 28 dB, where the definition gives 8. The
script enlarges a face of 128x128 by repeating its pixels, which changes no mean, and so is left out here.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.evaluation.metrics.grey import shown_in, to_grey
from pipeline.evaluation.metrics.psnr import CAP_DB


def wrapping_psnr(fake_HW: NDArray[np.uint8], real_HW: NDArray[np.uint8]) -> float:
    """In dB; `CAP_DB`, as in the script, where no square is left: of equal pictures, or of those 16 levels apart.

    NaN for pictures without a pixel.
    """
    if not fake_HW.size:
        return float("nan")
    error = float(((fake_HW - real_HW) ** 2).mean())  # in bytes
    return 10 * float(np.log10(255**2 / error)) if error else CAP_DB


class PaperPsnr(FrameMean):
    """The mean over frames of ``wrapping_psnr`` of the frames' grey levels."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1]; pixels that are NaN are left out."""
        assert target is not None
        shown_THW = shown_in(preds) & shown_in(target)
        frames = zip(to_grey(preds), to_grey(target), shown_THW, strict=True)
        return torch.tensor([wrapping_psnr(fake[shown], real[shown]) for fake, real, shown in frames])


register(
    MetricEntry(
        name="paper_psnr",
        title="PSNR by the paper's script (squares wrap)",
        unit="dB",
        higher_is_better=True,
        digits=2,
        compares="frames",
        make=PaperPsnr,
        source="the script of Chen et al., CVPR 2019",
        about="PSNR by the paper's script. Compare it with the paper's table only.",
        url="https://arxiv.org/abs/1905.03820",
    )
)
