"""The weights from which VG-net and its discriminator start."""

import torch
from torch import Tensor, nn

from pipeline.models.vgnet import VgNet

COPYING = -2.0
"""Bias of the pixel attention: a frame starts as 88% reference, so that the first steps are not spent on copying it."""


@torch.no_grad()
def init_normal(network: nn.Module, std: float = 0.02) -> None:
    """Draw weights from N(0, std) and gains from N(1, std), and zero the biases, as the paper does."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, std)
            nn.init.zeros_(module.bias)


@torch.no_grad()
def init_generator(network: VgNet, landmarks_NL: Tensor) -> None:
    """As `init_normal`, and the two places where speech would long drown start where it shows.

    Sets of landmarks differ by a hundredth of their size as a mouth moves. The layer that reads them is scaled and
    shifted until each of its outputs has mean 0 and deviation 1 over `landmarks_NL`, a sample of the training split
    (data-dependent initialisation, Kraehenbuehl et al., ICLR 2016).
    """
    init_normal(network)
    reader = network.landmark_map[0]
    assert isinstance(reader, nn.Linear)
    read_NC = landmarks_NL @ reader.weight.T
    deviation_C = read_NC.std(dim=0).clamp(min=1e-6)
    reader.weight /= deviation_C[:, None]
    reader.bias.copy_(-read_NC.mean(dim=0) / deviation_C)
    if network.attention:
        assert network.heads.bias is not None
        network.heads.bias[3] = COPYING
