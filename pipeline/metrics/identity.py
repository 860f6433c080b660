"""CSIM: whether the generated face is the same person, as the cosine of face descriptors."""

import torch
from torch import Tensor

from pipeline.metrics.base import METRICS, FrameMean, MetricEntry


class IdentitySimilarity(FrameMean):
    """The mean over frames of <f, r> / (|f| |r|), with f the descriptor of a frame and r that of the reference."""

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of descriptors (N, 128) and the reference's (128,): -1 to 1; NaN without a face."""
        assert target is not None
        norms = torch.linalg.vector_norm(preds.double(), dim=1) * torch.linalg.vector_norm(target.double())
        cosines: Tensor = preds.double() @ target.double() / norms
        return cosines


# fmt: off
METRICS.add(
    MetricEntry("csim", "Identity (CSIM)", IdentitySimilarity, "identity", unit="cosine with the reference picture",
        higher_is_better=True, real=False,
        about="How similar the face is to the reference picture.",
        source="Zakharov et al., ICCV 2019, with dlib's face descriptor", url="https://arxiv.org/abs/1905.08233"),
)
# fmt: on
