"""LPIPS: the distance of two pictures in the features of AlexNet (Zhang et al., 2018).

    d = sum_l mean_hw sum_c w_lc (fake_lchw / |fake_lhw| - real_lchw / |real_lhw|)^2

over AlexNet's five layers l, with weights w that were fitted to human judgements (version 0.1). Torchmetrics ships w.
The user provides AlexNet's weights: the state dict that torchvision publishes.
"""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics.functional.image import lpips as torchmetrics_lpips

from pipeline.metrics.base import METRICS, ExternalWeights, FrameMean, MetricEntry
from pipeline.preprocessing.published.checkpoint import read_tensors
from pipeline.runtime.errors import PipelineError

ALEXNET = ExternalWeights("ATVGNET_ALEXNET")
FILE = "alexnet-owt-7be5be79.pth"
"""Torchvision's name of the weights."""
LINEAR = Path(torchmetrics_lpips.__file__).with_name("lpips_models") / "alex.pth"
"""The file of the weights w."""
MEAN, DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Colours of AlexNet's training pictures, in [-1, 1]."""

_CONVOLUTIONS = {  # by torchvision's names: in, out, kernel, stride, padding
    "features.0": (3, 64, 11, 4, 2),
    "features.3": (64, 192, 5, 1, 2),
    "features.6": (192, 384, 3, 1, 1),
    "features.8": (384, 256, 3, 1, 1),
    "features.10": (256, 256, 3, 1, 1),
}
_POOLED = ("features.3", "features.6")  # after a maximum pooling of 3x3, stride 2


class PerceptualDistance(nn.Module):
    """LPIPS of pictures by AlexNet."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: Path) -> None:
        super().__init__()
        weights, fitted = read_tensors(backbone), read_tensors(LINEAR)
        self.linear = [fitted[f"lin{layer}.model.1.weight"] for layer in range(len(_CONVOLUTIONS))]
        self.features = nn.ModuleList()
        for name, shape in _CONVOLUTIONS.items():
            convolution = nn.Conv2d(*shape)
            for part, parameter in convolution.named_parameters():
                key = f"{name}.{part}"
                if key not in weights or weights[key].shape != parameter.shape:
                    has = f"has the shape {tuple(weights[key].shape)}" if key in weights else "is missing"
                    raise PipelineError(
                        f"{backbone} does not hold torchvision's AlexNet: {key} {has}, and {tuple(parameter.shape)} "
                        f"belongs there. Give {FILE}."
                    )
                parameter.data.copy_(weights[key])
            pooling = [nn.MaxPool2d(3, 2)] if name in _POOLED else []
            self.features.append(nn.Sequential(*pooling, convolution, nn.ReLU()))
        for name, colours in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(colours)[:, None, None])
        self.eval().requires_grad_(False)

    def forward(self, fake_NCHW: Tensor, real_NCHW: Tensor) -> Tensor:
        """The distance of each pair of pictures in [-1, 1] (N,), 0 or more.

        NaN pixels become grey in both, and a feature counts by the share of its area that is not NaN.
        """
        known_N1HW = ~(fake_NCHW - real_NCHW).isnan().any(dim=1, keepdim=True)
        pictures = [torch.where(known_N1HW, picture_NCHW, 0.0) for picture_NCHW in (fake_NCHW, real_NCHW)]
        both = (torch.cat(pictures) - self.mean) / self.deviation
        distance_N = both.new_zeros(len(fake_NCHW))
        for layer, weight in zip(self.features, self.linear, strict=True):
            both = layer(both)
            fake, real = (both / (both.square().sum(dim=1, keepdim=True) + 1e-8).sqrt()).chunk(2)
            distance_N1HW = nn.functional.conv2d((fake - real).square(), weight)
            if known_N1HW.all():
                distance_N += distance_N1HW.mean(dim=(1, 2, 3))
                continue
            share_N1HW = nn.functional.adaptive_avg_pool2d(
                known_N1HW.float(), (distance_N1HW.shape[2], distance_N1HW.shape[3])
            )
            distance_N += (distance_N1HW * share_N1HW).sum(dim=(1, 2, 3)) / share_N1HW.sum(dim=(1, 2, 3))
        return distance_N


_network = lru_cache(maxsize=1)(PerceptualDistance)


def _make() -> FrameMean:
    """The mean of LPIPS over frames in [0, 1]. Raises PipelineError if AlexNet's weights are missing or wrong."""
    network = _network(ALEXNET.path())
    return FrameMean(lambda preds, target: network(2 * preds - 1, 2 * target - 1))


# fmt: off
METRICS.add(
    MetricEntry("lpips", "LPIPS", _make, "frames", digits=4, weights=ALEXNET,
        about="How different the frames look to people, by the features of a network.",
        source="Zhang et al., CVPR 2018, version 0.1, AlexNet", url="https://arxiv.org/abs/1801.03924"),
)
# fmt: on
