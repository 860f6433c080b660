"""CSIM: whether it is the same person, as the cosine of face descriptors."""

import torch
from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean


class IdentitySimilarity(FrameMean):
    """The mean over frames of <f, r> / (|f| |r|), where f describes a frame and r the reference picture."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of descriptors (N, 128) with that of the reference (128,), -1 to 1; NaN where no face was found."""
        assert target is not None
        apart = torch.linalg.vector_norm(preds.double(), dim=1) * torch.linalg.vector_norm(target.double())
        cosines: Tensor = preds.double() @ target.double() / apart
        return cosines


register(
    MetricEntry(
        name="csim",
        title="Identity (CSIM)",
        unit="cosine with the reference picture",
        higher_is_better=True,
        digits=3,
        compares="identity",
        make=IdentitySimilarity,
        source="Zakharov et al., ICCV 2019, with dlib's face descriptor",
        real=False,
        about="How similar the face is to the reference picture.",
        url="https://arxiv.org/abs/1905.08233",
    )
)
