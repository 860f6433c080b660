"""PSNR and SSIM, and hidden pixels in all metrics of frames."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.image import StructuralSimilarityIndexMeasure

from pipeline.metrics import METRICS
from pipeline.metrics.pixels import CAP_DB
from tests.metrics.faces import computed, face, floats, noisy_pair

DRAW = np.random.default_rng(0)


PAIRED = ("psnr", "ssim", "paper_psnr", "paper_ssim")


def test_psnr_and_ssim_equal_skimage() -> None:
    real = DRAW.integers(0, 256, (4, 128, 128, 3)).astype(np.uint8)
    fake = np.clip(real + DRAW.normal(0, 20, real.shape), 0, 255).astype(np.uint8)
    values = {}
    for name in ("psnr", "ssim"):
        metric = METRICS[name].make()
        for part in (slice(0, 1), slice(1, 4)):
            metric.update(floats(fake[part]), floats(real[part]))
        values[name] = metric.compute()
    psnr = np.mean([peak_signal_noise_ratio(a, b, data_range=255) for a, b in zip(real, fake, strict=True)])
    ssim = np.mean(
        [
            structural_similarity(
                a, b, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
            for a, b in zip(real, fake, strict=True)
        ]
    )
    assert float(values["psnr"]) == pytest.approx(psnr, abs=1e-3)
    assert float(values["ssim"]) == pytest.approx(ssim, abs=2e-3)


@pytest.mark.parametrize("size", [48, 96])
def test_ssim_equals_torchmetrics(size: int) -> None:
    """The border included. In single precision theirs is 6e-4 off in bright flat frames, ours 5e-5."""
    real = np.stack([face(size), face(size)[::-1], np.full((size, size, 3), 250, np.uint8)])
    fake = np.clip(real + DRAW.normal(0, 8, real.shape), 0, 255).astype(np.uint8)
    theirs = StructuralSimilarityIndexMeasure(data_range=1.0)
    theirs.update(floats(fake).double(), floats(real).double())
    assert computed("ssim", fake, real) == pytest.approx(torch.as_tensor(theirs.compute()).item(), abs=5e-5)
    assert computed("ssim", real, real) == 1


def test_psnr_does_not_wrap() -> None:
    """Black against white is 0 dB; on wrapping uint8 differences it would come out far higher."""
    metric = METRICS["psnr"].make()
    metric.update(torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 32, 32))
    assert float(metric.compute()) == pytest.approx(0, abs=1e-5)


def value(name: str, fake: torch.Tensor, real: torch.Tensor) -> float:
    metric = METRICS[name].make()
    metric.update(fake, real)
    return float(metric.compute())


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("hidden_in", ["fake", "real", "both"])
def test_hidden_pixels_do_not_count(name: str, hidden_in: str) -> None:
    fake, real = noisy_pair()
    expected = value(name, fake[..., :80], real[..., :80]) if name == "psnr" else None
    black = fake.clone()
    black[..., 80:] = 0  # a crop that ends there
    spoilt = value(name, black, real)
    for one, which in ((black, "fake"), (real, "real")):
        if hidden_in in (which, "both"):
            one[..., 80:] = torch.nan
    kept = value(name, black, real)
    assert kept > spoilt + 0.05
    assert kept == pytest.approx(value(name, *noisy_pair()), rel=0.03)
    if expected is not None:
        assert kept == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", PAIRED)
def test_equal_pixels_have_the_best_value_beside_hidden_ones(name: str) -> None:
    fake, real = noisy_pair()[1].clone(), noisy_pair()[1]
    fake[..., :50, :] = 0.5
    real[..., :50, :] = torch.nan
    assert value(name, fake, real) == pytest.approx(CAP_DB if "psnr" in name else 1)


@pytest.mark.parametrize("name", PAIRED)
def test_frames_without_common_pixels_have_no_value(name: str) -> None:
    fake, real = noisy_pair()
    fake[0] = torch.nan
    assert value(name, fake, real) == pytest.approx(value(name, fake[1:], real[1:]))
    fake[:] = torch.nan
    assert np.isnan(value(name, fake, real))
