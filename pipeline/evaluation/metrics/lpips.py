"""LPIPS: how far apart two pictures are in the features of a network that tells objects apart (Zhang et al., 2018).

    d = sum_l mean_hw sum_c w_lc (fake_lchw / |fake_lhw| - real_lchw / |real_lhw|)^2

over the five layers l of AlexNet, w the weights that were fitted to what people find alike (version 0.1). Torchmetrics
carries w; AlexNet's weights are the user's: the state dict that torchvision publishes.
"""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics.functional.image import lpips as torchmetrics_lpips

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.frame_mean import FrameMean
from pipeline.evaluation.weights import weights_path
from pipeline.inference.published.checkpoint import read_tensors
from pipeline.runtime.errors import PipelineError

BACKBONE, FILE = "alexnet", "alexnet-owt-7be5be79.pth"
"""What the user is asked for, and what torchvision calls it."""
LINEAR = Path(torchmetrics_lpips.__file__).with_name("lpips_models") / "alex.pth"
"""The weights w."""
MEAN, DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of the colours of the pictures in [-1, 1] that AlexNet was trained on."""

_CONVOLUTIONS = {  # AlexNet's, by their names in torchvision's state dict: in, out, kernel, stride, padding
    "features.0": (3, 64, 11, 4, 2),
    "features.3": (64, 192, 5, 1, 2),
    "features.6": (192, 384, 3, 1, 1),
    "features.8": (384, 256, 3, 1, 1),
    "features.10": (256, 256, 3, 1, 1),
}
_POOLED = ("features.3", "features.6")  # behind a maximum pooling of 3x3, stride 2


class PerceptualDistance(nn.Module):
    """LPIPS of pictures by AlexNet."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: Path) -> None:
        super().__init__()
        given, fitted = read_tensors(backbone), read_tensors(LINEAR)
        self.linear = [fitted[f"lin{layer}.model.1.weight"] for layer in range(len(_CONVOLUTIONS))]
        self.features = nn.ModuleList()
        for name, shape in _CONVOLUTIONS.items():
            convolution = nn.Conv2d(*shape)
            for part, parameter in convolution.named_parameters():
                key = f"{name}.{part}"
                if key not in given or given[key].shape != parameter.shape:
                    has = f"has the shape {tuple(given[key].shape)}" if key in given else "is missing"
                    raise PipelineError(
                        f"{backbone} does not hold torchvision's AlexNet: {key} {has}, and {tuple(parameter.shape)} "
                        f"belongs there. Give {FILE}."
                    )
                parameter.data.copy_(given[key])
            pooling = [nn.MaxPool2d(3, 2)] if name in _POOLED else []
            self.features.append(nn.Sequential(*pooling, convolution, nn.ReLU()))
        for name, colours in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(colours)[:, None, None])
        self.eval().requires_grad_(False)

    def forward(self, fake_NCHW: Tensor, real_NCHW: Tensor) -> Tensor:
        """Of each pair of pictures in [-1, 1] (N,), from 0.

        Pixels that are NaN are grey in both, and features count by the share of their area that is not NaN.
        """
        known_N1HW = ~(fake_NCHW - real_NCHW).isnan().any(dim=1, keepdim=True)
        pictures = [torch.where(known_N1HW, one, 0.0) for one in (fake_NCHW, real_NCHW)]
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


@lru_cache(maxsize=1)
def _network(backbone: Path) -> PerceptualDistance:
    return PerceptualDistance(backbone)


class Lpips(FrameMean):
    """The mean of LPIPS over frames. PipelineError where AlexNet's weights are not given or are others."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _network(weights_path(BACKBONE))

    def values(self, preds: Tensor, target: Tensor | None) -> Tensor:
        """Of frames (T, 3, H, W) in [0, 1], 0 for equal ones."""
        assert target is not None
        distances: Tensor = self.network(2 * preds - 1, 2 * target - 1)
        return distances


register(
    MetricEntry(
        name="lpips",
        title="LPIPS",
        unit="",
        higher_is_better=False,
        digits=4,
        compares="frames",
        make=Lpips,
        source="Zhang et al., CVPR 2018, version 0.1, AlexNet",
        weights=BACKBONE,
        about="How different the frames look to people, by the features of a network.",
        url="https://arxiv.org/abs/1801.03924",
    )
)
