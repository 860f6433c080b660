"""Random initial weights of VG-net and its discriminator, for training from scratch."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet

ATTENTION_BIAS = -2.0
"""Bias of the pixel attention: frames start as 88% reference, so that no steps are spent on learning to copy it."""


@torch.no_grad()
def init_normal(network: nn.Module, std: float = 0.02) -> None:
    """Draw weights from N(0, std) and gains from N(1, std), and set biases to 0, as in the paper."""
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
    """`init_normal`, except that the input layer of the landmarks is standardised and the attention starts low.

    Standardised means that each output of the layer has mean 0 and deviation 1 over `landmarks_NL`, a sample of the
    training split (Kraehenbuehl et al., ICLR 2016). A moving mouth changes landmarks by a hundredth of their size;
    without this the network ignores them for many steps.
    """
    init_normal(network)
    if network.mouth_detail is not None:
        network.mouth_detail.start()
    _standardise(network.landmark_map[0].weight, network.landmark_map[0].bias, landmarks_NL)
    if network.attention:
        assert network.heads.bias is not None
        network.heads.bias[3] = ATTENTION_BIAS


@torch.no_grad()
def init_discriminator(network: Discriminator, frames_NTCHW: Tensor, reference_landmarks_NL: Tensor) -> None:
    """`init_normal`, except that the linear layers and each layer of the LSTM are standardised over real windows.

    Otherwise only a hundredth of the difference between two pictures passes the three layers of the LSTM, and the
    discriminator learns nothing for thousands of steps (docs/results.md).
    """
    init_normal(network)
    *convolutions, image_layer, _ = network.image
    image_ND = frames_NTCHW.flatten(0, 1)
    for layer in convolutions:
        image_ND = layer(image_ND)
    image_ND = functional.relu(_standardise(image_layer.weight, image_layer.bias, image_ND))
    reference_ND = reference_landmarks_NL
    for layer in network.reference:
        if isinstance(layer, nn.Linear):
            reference_ND = functional.relu(_standardise(layer.weight, layer.bias, reference_ND))
    image_NTD = image_ND.unflatten(0, frames_NTCHW.shape[:2])
    input_NTD = torch.cat([reference_ND[:, None].expand(-1, image_NTD.shape[1], -1), image_NTD], dim=2)
    for weight, recurrent, bias, other_bias in network.lstm.all_weights:
        nn.init.zeros_(other_bias)
        _standardise(weight, bias, input_NTD.flatten(0, 1))
        layer = nn.LSTM(weight.shape[1], network.lstm.hidden_size, batch_first=True)
        for copy, original in zip(layer.all_weights[0], (weight, recurrent, bias, other_bias), strict=True):
            copy.copy_(original)
        input_NTD, _ = layer(input_NTD)


def _standardise(weight: Any, bias: Any, input_ND: Tensor) -> Tensor:
    """Scale and shift a linear layer until its outputs over `input_ND` have mean 0 and deviation 1; returns these."""
    outputs_NC: Tensor = input_ND @ weight.T
    deviation_C = outputs_NC.std(dim=0).clamp(min=1e-6)
    weight /= deviation_C[:, None]
    bias.copy_(-outputs_NC.mean(dim=0) / deviation_C)
    standardised_NC: Tensor = input_ND @ weight.T + bias
    return standardised_NC
