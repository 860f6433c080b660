"""LMD as the paper's own script computes it, to be set beside the paper's table and nothing else: the distances of the
20 points of the mouth are added up, where the definition has their mean. Frames without a face are left out.
"""

from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lmd import LandmarkDistance
from pipeline.landmarks.points import MOUTH


class PaperLmd(LandmarkDistance):
    """The mean over frames of sum_p || (real_p - mean_p real_p) - (fake_p - mean_p fake_p) ||_2 of the mouth."""

    def __init__(self) -> None:
        super().__init__(MOUTH)

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of points (T, 68, 2) in pixels of the 128x128 face."""
        return super().values(preds, target) * (MOUTH.stop - MOUTH.start)


register(
    MetricEntry(
        name="paper_lmd",
        title="LMD by the paper's script (sum of 20 points)",
        unit="px of the 128x128 face",
        higher_is_better=False,
        digits=2,
        compares="landmarks",
        make=PaperLmd,
        source="the script of Chen et al., CVPR 2019",
        about="LMD by the paper's script. Compare it with the paper's table only.",
        url="https://arxiv.org/abs/1905.03820",
    )
)
