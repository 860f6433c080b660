"""CSIM: whether the generated face is the same person, as the cosine of face descriptors."""

from functools import partial

import torch
from torch import Tensor

from pipeline.metrics.base import METRICS, FrameMean, MetricEntry


def cosine(preds_Tx128: Tensor, target_128: Tensor) -> Tensor:
    """<f, r> / (|f| |r|) of each descriptor f and the reference's r (T,): -1 to 1; NaN without a face."""
    norms = torch.linalg.vector_norm(preds_Tx128.double(), dim=1) * torch.linalg.vector_norm(target_128.double())
    cosines: Tensor = preds_Tx128.double() @ target_128.double() / norms
    return cosines


# fmt: off
METRICS.add(
    MetricEntry("csim", "Identity (CSIM)", partial(FrameMean, cosine), "identity",
        unit="cosine with the reference picture", higher_is_better=True, real=False,
        about="How similar the face is to the reference picture.",
        source="Zakharov et al., ICCV 2019, with dlib's face descriptor", url="https://arxiv.org/abs/1905.08233"),
)
# fmt: on
