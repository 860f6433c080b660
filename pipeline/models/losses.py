"""The losses of AT-net, VG-net and its discriminator (Chen et al., CVPR 2019, sections 3.2 to 3.4), as pure functions.

All are means over batch, frames, channels and pixels (or points), so no weight depends on a size.
"""

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.landmarks.points import COUNT, MOUTH

MOUTH_X, MOUTH_Y, MOUTH_REACH_X, MOUTH_REACH_Y = 0.5, 0.67, 0.15, 0.10  # middle and deviations, as shares of the side


def coefficient_loss(predicted_BTK: Tensor, real_BTK: Tensor, weights_KK: Tensor | None = None) -> Tensor:
    """The mean squared error of AT-net's coefficients; with weights W (ours), mean(d' W d) / K of the difference d."""
    if weights_KK is None:
        return functional.mse_loss(predicted_BTK, real_BTK)
    apart_BTK = predicted_BTK - real_BTK
    return (apart_BTK * (apart_BTK @ weights_KK)).mean()


def spread_loss(predicted_BTK: Tensor, real_BTK: Tensor, gap_K: Tensor) -> Tensor:
    """How far the spread of the mouth's opening is from the real one (ours), with o = g' c of the coefficients c:

        mean((std(o_predicted) - std(o_real))^2) / |g|^2

    Deviations are over the frames of a window. The squared error of the coefficients alone draws a mouth that moves too
    little: where the speech does not decide, the mean is the best answer. `gap_K` g is how far a unit of each
    coefficient parts the lips. The division gives the units of `coefficient_loss`.
    """
    # A mouth that does not move at all must have a gradient too.
    predicted_B, real_B = ((x_BTK @ gap_K).var(dim=1).add(1e-9).sqrt() for x_BTK in (predicted_BTK, real_BTK))
    return (predicted_B - real_B).square().mean() / gap_K.square().sum()


def pixel_loss(
    fake_BTCHW: Tensor, real_BTCHW: Tensor, attention_BT1HW: Tensor | None, mouth_focus: float = 0.0
) -> Tensor:
    """The dynamic pixel-wise loss, mean(|fake - real| . (A + 0.5) . (1 + f M)).

    The attention A, the map of what is painted, is only a weight and gets no gradient. Without A (the ablation) all
    weights are 1. `mouth_focus` f is ours: the additional weight in the middle of `mouth_map` M.
    """
    distance_BTCHW = (fake_BTCHW - real_BTCHW).abs()
    if mouth_focus:
        distance_BTCHW = distance_BTCHW * (1 + mouth_focus * mouth_map(distance_BTCHW))
    if attention_BT1HW is None:
        return distance_BTCHW.mean()
    return (distance_BTCHW * (attention_BT1HW.detach() + 0.5)).mean()


def mouth_map(like_BTCHW: Tensor) -> Tensor:
    """A Gaussian (H, W) over lips and chin, 1 in the middle of the mouth, for pictures of this shape.

    Its place is fixed, because faces are aligned: mouths of real speakers are within 2% of the side from it, and their
    lips within two deviations.
    """
    height, width = like_BTCHW.shape[-2:]
    y_H, x_W = (torch.arange(size, device=like_BTCHW.device) / size for size in (height, width))
    away_HW = ((x_W - MOUTH_X) / MOUTH_REACH_X) ** 2 + ((y_H[:, None] - MOUTH_Y) / MOUTH_REACH_Y) ** 2
    return torch.exp(-away_HW / 2)


def decision_loss(logits_B: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of the discriminator's logits for the target "real" or "fake":

        real: mean(-log sigmoid(logit))        fake: mean(-log(1 - sigmoid(logit)))

    The discriminator minimises "real" on real and "fake" on generated videos; the generator "real" on generated ones.
    """
    return functional.softplus(-logits_B if real else logits_B).mean()


def regression_weights(mouth: float = 10_000.0) -> Tensor:
    """Weights (136,) of the squared errors: `mouth` for the y of the mouth's points, 1 for all other coordinates.

    The original release multiplies predicted and true landmarks by 100 at the y of the mouth before it squares their
    difference: 100^2.
    """
    weights_P2 = torch.ones(COUNT, 2)
    weights_P2[MOUTH, 1] = mouth
    return weights_P2.flatten()


def regression_loss(predicted_BTL: Tensor, landmarks_BTL: Tensor, weights_L: Tensor) -> Tensor:
    """The error of the discriminator's landmarks, mean(w . (predicted - true)^2).

    The discriminator minimises it on real and generated videos, the generator on generated ones.
    """
    return (weights_L * (predicted_BTL - landmarks_BTL).square()).mean()
