"""Pixels that one of two videos does not show are NaN, and metrics of frames leave them out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.metrics import METRICS
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.lpips import _CONVOLUTIONS, PerceptualDistance
from pipeline.metrics.observe import VideoFeatures
from pipeline.metrics.pixels import CAP_DB
from tests.metrics.faces import face, floats

PAIRED = ("psnr", "ssim", "paper_psnr", "paper_ssim")


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """Two frames of a face, and the same with noise: (2, 3, 128, 128)."""
    draw = np.random.default_rng(0)
    real = np.stack([face()] * 2).astype(int)
    fake = np.clip(real + draw.integers(-12, 13, real.shape), 0, 255)
    return floats(fake.astype(np.uint8)), floats(real.astype(np.uint8))


def value(name: str, fake: torch.Tensor, real: torch.Tensor) -> float:
    metric = METRICS[name].make()
    metric.update(fake, real)
    return float(metric.compute())


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("hidden_in", ["fake", "real", "both"])
def test_what_is_hidden_does_not_count(name: str, hidden_in: str) -> None:
    fake, real = pictures()
    expected = value(name, fake[..., :80], real[..., :80]) if name == "psnr" else None
    black = fake.clone()
    black[..., 80:] = 0  # a crop that ends there
    spoilt = value(name, black, real)
    for one, which in ((black, "fake"), (real, "real")):
        if hidden_in in (which, "both"):
            one[..., 80:] = torch.nan
    kept = value(name, black, real)
    assert kept > spoilt + 0.05
    assert kept == pytest.approx(value(name, *pictures()), rel=0.03)
    if expected is not None:
        assert kept == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", PAIRED)
def test_equal_pixels_are_equal_whatever_lies_beside_them(name: str) -> None:
    fake, real = pictures()[1].clone(), pictures()[1]
    fake[..., :50, :] = 0.5
    real[..., :50, :] = torch.nan
    assert value(name, fake, real) == pytest.approx(CAP_DB if "psnr" in name else 1)


@pytest.mark.parametrize("name", PAIRED)
def test_frames_with_nothing_in_common_have_no_value(name: str) -> None:
    fake, real = pictures()
    fake[0] = torch.nan
    assert value(name, fake, real) == pytest.approx(value(name, fake[1:], real[1:]))
    fake[:] = torch.nan
    assert np.isnan(value(name, fake, real))


def test_lpips_leaves_them_out(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    weights = {}
    for name, (into, out, kernel, *_) in _CONVOLUTIONS.items():
        weights[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=draw) * (into * kernel**2) ** -0.5
        weights[f"{name}.bias"] = torch.zeros(out)
    path = tmp_path / "alexnet.pth"
    torch.save(weights, path)
    network = PerceptualDistance(path)
    real = 2 * pictures()[1] - 1
    fake = real.clone()
    fake[..., 64:] = 1.0
    spoilt = network(fake, real)
    fake[..., 64:] = torch.nan
    assert (network(fake, real) < spoilt / 10).all()
    assert network(real, real).tolist() == [0, 0]


def test_both_videos_hide_and_sharpness_sees_the_whole_frame() -> None:
    """Of a clip whose real video ends at the right and whose generated one ends at the bottom."""
    levels = np.stack([face()] * 3)
    points, identity = np.full((3, 68, 2), np.nan, np.float32), np.zeros((1, 128), np.float32)
    right, bottom = np.ones((2, 3, 128, 128), bool)
    right[:, :, 100:] = False
    bottom[:, 90:] = False
    worse = levels.copy()
    worse[:, 90:] = 0
    worse[:, :, 100:] = 255
    hidden = compute_metrics(
        VideoFeatures(levels, points, identity, shown_THW=right),
        VideoFeatures(worse, points, identity, shown_THW=bottom),
    )
    whole = compute_metrics(VideoFeatures(levels, points, identity), VideoFeatures(worse, points, identity))
    assert hidden.values["psnr"] == CAP_DB
    assert hidden.values["ssim"] == pytest.approx(1)
    assert whole.values["psnr"] < 20
    assert hidden.values["laplacian"] == whole.values["laplacian"]
