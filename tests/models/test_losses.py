import numpy as np
import pytest
import torch

from pipeline.models import losses


@pytest.fixture
def pictures() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    made = torch.rand(2, 3, 3, 8, 8, generator=random) * 2 - 1
    real = torch.rand(2, 3, 3, 8, 8, generator=random) * 2 - 1
    return made.requires_grad_(), real, torch.rand(2, 3, 1, 8, 8, generator=random).requires_grad_()


def test_pixel_loss_is_the_weighted_mean(pictures: tuple[torch.Tensor, ...]) -> None:
    made, real, attention = pictures
    expected = np.mean(np.abs(made.detach().numpy() - real.numpy()) * (attention.detach().numpy() + 0.5))
    assert losses.pixel_loss(made, real, attention).item() == pytest.approx(expected, rel=1e-5)
    assert losses.pixel_loss(made, real, None).item() == pytest.approx((made - real).abs().mean().item())


def test_pixel_loss_gives_no_gradient_to_the_attention(pictures: tuple[torch.Tensor, ...]) -> None:
    made, real, attention = pictures
    losses.pixel_loss(made, real, attention).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0
    assert attention.grad is None


def test_decision_loss_is_binary_cross_entropy() -> None:
    logits = torch.tensor([-3.0, 0.2, 40.0, -40.0])
    sigmoid = 1 / (1 + np.exp(-logits.double().numpy()))
    for real, probability in ((True, sigmoid), (False, 1 / (1 + np.exp(logits.double().numpy())))):
        expected = -np.log(probability).mean()
        assert losses.decision_loss(logits, real).item() == pytest.approx(expected, rel=1e-5)


def test_landmark_weights_single_out_the_height_of_the_mouth() -> None:
    weights = losses.landmark_weights(100.0).reshape(68, 2)
    assert (weights[48:68, 1] == 100).all()
    assert weights.sum() == 20 * 100 + 136 - 20


def test_regression_loss_is_the_originals() -> None:
    random = np.random.default_rng(0)
    predicted, true = random.normal(size=(2, 2, 4, 136))
    mask = np.ones(136)  # as the original has it: on both, before the difference is squared
    mask[97::2] = 100
    expected = np.mean((mask * predicted - mask * true) ** 2)
    ours = losses.regression_loss(torch.tensor(predicted), torch.tensor(true), losses.landmark_weights())
    assert ours.item() == pytest.approx(expected)
