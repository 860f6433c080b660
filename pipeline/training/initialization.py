"""The weights from which VG-net and its discriminator start."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.discriminator import Discriminator
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
    _spread(reader.weight, reader.bias, landmarks_NL)
    if network.attention:
        assert network.heads.bias is not None
        network.heads.bias[3] = COPYING


@torch.no_grad()
def init_discriminator(network: Discriminator, frames_NTCHW: Tensor, reference_landmarks_NL: Tensor) -> None:
    """As `init_normal`, and what lies between the pictures and the answers is spread as `init_generator` does it.

    The linear layers, and each layer of the LSTM, over a sample of real windows. As they come, three layers of an LSTM
    pass on a hundredth of what tells one picture from another, and the discriminator learns nothing for thousands of
    steps (docs/results.md).
    """
    init_normal(network)
    *convolutions, read, _ = network.image
    seen_ND = frames_NTCHW.flatten(0, 1)
    for layer in convolutions:
        seen_ND = layer(seen_ND)
    reference_ND = reference_landmarks_NL
    assert isinstance(read, nn.Linear)
    seen_ND = functional.relu(_spread(read.weight, read.bias, seen_ND))
    for layer in network.reference:
        if isinstance(layer, nn.Linear):
            reference_ND = functional.relu(_spread(layer.weight, layer.bias, reference_ND))
    seen_NTD = seen_ND.unflatten(0, frames_NTCHW.shape[:2])
    given_NTD = torch.cat([reference_ND[:, None].expand(-1, seen_NTD.shape[1], -1), seen_NTD], dim=2)
    for number in range(network.lstm.num_layers):
        weight, recurrent, bias, other_bias = network.lstm.all_weights[number]
        nn.init.zeros_(other_bias)
        _spread(weight, bias, given_NTD.flatten(0, 1))
        layer = nn.LSTM(weight.shape[1], network.lstm.hidden_size, batch_first=True)
        for its, ours in zip(layer.all_weights[0], (weight, recurrent, bias, other_bias), strict=True):
            its.copy_(ours)
        given_NTD, _ = layer(given_NTD)


def _spread(weight: Tensor, bias: Tensor, given_ND: Tensor) -> Tensor:
    """Scale and shift a linear layer until each of its outputs over `given_ND` has mean 0 and deviation 1; these."""
    answers_NC = given_ND @ weight.T
    deviation_C = answers_NC.std(dim=0).clamp(min=1e-6)
    weight /= deviation_C[:, None]
    bias.copy_(-answers_NC.mean(dim=0) / deviation_C)
    return given_ND @ weight.T + bias
