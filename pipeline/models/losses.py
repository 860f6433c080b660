"""The losses of VG-net and its discriminator (Chen et al., CVPR 2019, sections 3.3 and 3.4), as pure functions.

All are means over batch, frames, channels and pixels (or points), so no weight depends on a size.
"""

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.landmarks.points import COUNT, MOUTH


def pixel_loss(fake_BTCHW: Tensor, real_BTCHW: Tensor, attention_BT1HW: Tensor | None) -> Tensor:
    """The dynamic pixel-wise loss,

        mean(|fake - real| . (A + 0.5)),

    where the attention A, the map of what is painted, only weighs and receives no gradient. With None for A (the
    ablation) every pixel weighs 1.
    """
    distance_BTCHW = (fake_BTCHW - real_BTCHW).abs()
    if attention_BT1HW is None:
        return distance_BTCHW.mean()
    return (distance_BTCHW * (attention_BT1HW.detach() + 0.5)).mean()


def decision_loss(logits_B: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of the discriminator's logits against "real", or against "fake":

        real: mean(-log sigmoid(logit))        fake: mean(-log(1 - sigmoid(logit)))

    The discriminator minimises both on the videos concerned; the generator minimises "real" on what it generated.
    """
    return functional.softplus(-logits_B if real else logits_B).mean()


def landmark_weights(mouth: float = 10_000.0) -> Tensor:
    """Weights (136,) of the squared errors: `mouth` for the y of the mouth's points, 1 for everything else.

    The original release multiplies both the predicted and the true landmarks by a mask of 100 on the y of the mouth
    before it squares their difference: 100^2 here.
    """
    weights_P2 = torch.ones(COUNT, 2)
    weights_P2[MOUTH, 1] = mouth
    return weights_P2.flatten()


def regression_loss(predicted_BTL: Tensor, landmarks_BTL: Tensor, weights_L: Tensor) -> Tensor:
    """How far the discriminator's reading of the landmarks is from the truth, mean(w . (predicted - true)^2).

    Minimised by the discriminator on real and fake videos, and by the generator on what it generated.
    """
    return (weights_L * (predicted_BTL - landmarks_BTL).square()).mean()
