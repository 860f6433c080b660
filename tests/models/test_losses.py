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


def test_coefficients_weigh_alike_or_by_a_matrix() -> None:
    random = np.random.default_rng(0)
    predicted, real = random.normal(size=(2, 2, 5, 6))
    matrix = random.normal(size=(6, 6))
    apart, (one, other) = predicted - real, map(torch.from_numpy, (predicted, real))
    assert losses.coefficient_loss(one, other).item() == pytest.approx(np.square(apart).mean())
    expected = np.mean([difference @ matrix @ difference / 6 for difference in apart.reshape(-1, 6)])
    assert losses.coefficient_loss(one, other, torch.from_numpy(matrix)).item() == pytest.approx(expected)


def test_spread_loss_compares_the_deviations_of_the_opening() -> None:
    random = np.random.default_rng(0)
    predicted, real, gap = random.normal(size=(2, 5, 6)), random.normal(size=(2, 5, 6)), random.normal(size=6)
    apart = (predicted @ gap).std(axis=1, ddof=1) - (real @ gap).std(axis=1, ddof=1)
    values = map(torch.from_numpy, (predicted, real, gap))
    assert losses.spread_loss(*values).item() == pytest.approx(np.square(apart).mean() / (gap @ gap))


def test_a_still_mouth_learns_to_move() -> None:
    predicted = (torch.ones(1, 4, 2) + 1e-6 * torch.arange(4.0)[:, None]).requires_grad_()
    losses.spread_loss(predicted, torch.randn(1, 4, 2), torch.ones(2)).backward()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()


def test_pixel_loss_is_the_weighted_mean(pictures: tuple[torch.Tensor, ...]) -> None:
    made, real, attention = pictures
    expected = np.mean(np.abs(made.detach().numpy() - real.numpy()) * (attention.detach().numpy() + 0.5))
    assert losses.pixel_loss(made, real, attention).item() == pytest.approx(expected, rel=1e-5)
    assert losses.pixel_loss(made, real, None).item() == pytest.approx((made - real).abs().mean().item())


def test_mouth_focus_weighs_the_mouth(pictures: tuple[torch.Tensor, ...]) -> None:
    made, real, attention = pictures
    weights = 1 + 3 * losses.mouth_map(real).numpy()
    expected = np.mean(np.abs(made.detach().numpy() - real.numpy()) * (attention.detach().numpy() + 0.5) * weights)
    assert losses.pixel_loss(made, real, attention, 3.0).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [128, 256])
def test_the_mouth_map_lies_on_the_mouth(size: int) -> None:
    """Lips of aligned faces: those of the crop's geometry lie below the nose, whose base is at 0.547 of the side."""
    found = losses.mouth_map(torch.zeros(1, 1, 3, size, size)).numpy()
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert (x / size, y / size) == pytest.approx((0.5, 0.67), abs=0.01)
    assert found[round(0.55 * size), size // 2] < 0.5
    assert found[size // 2 - size // 4, size // 2] < 0.01


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


def test_regression_weights_single_out_the_height_of_the_mouth() -> None:
    weights = losses.regression_weights(100.0).reshape(68, 2)
    assert (weights[48:68, 1] == 100).all()
    assert weights.sum() == 20 * 100 + 136 - 20


def test_regression_loss_is_the_originals() -> None:
    random = np.random.default_rng(0)
    predicted, true = random.normal(size=(2, 2, 4, 136))
    mask = np.ones(136)  # as the original has it: on both, before the difference is squared
    mask[97::2] = 100
    expected = np.mean((mask * predicted - mask * true) ** 2)
    ours = losses.regression_loss(torch.tensor(predicted), torch.tensor(true), losses.regression_weights())
    assert ours.item() == pytest.approx(expected)
