"""LPIPS with random weights, compared with torchmetrics."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.functional.image import lpips as theirs

from pipeline.metrics import METRICS
from pipeline.metrics.lpips import _CONVOLUTIONS, ALEXNET, PerceptualDistance
from pipeline.runtime.errors import PipelineError
from tests.metrics.faces import computed, face, floats, noisy_pair

DRAW = np.random.default_rng(0)


def alexnet() -> nn.ModuleDict:
    """As torchvision builds it, without the classifier."""
    layers = [
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
    ]
    return nn.ModuleDict({"features": nn.Sequential(*layers)})


@pytest.fixture
def backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> nn.ModuleDict:
    torch.manual_seed(0)
    network = alexnet()
    torch.save(network.state_dict() | {"classifier.1.bias": torch.zeros(4096)}, tmp_path / "alexnet.pth")
    monkeypatch.setenv("ATVGNET_ALEXNET", str(tmp_path / "alexnet.pth"))
    return network


def test_lpips_equals_torchmetrics(backbone: nn.ModuleDict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda net, pretrained: backbone["features"])
    real = np.stack([face(), face()[::-1]])
    fake = np.clip(real + DRAW.normal(0, 30, real.shape), 0, 255).astype(np.uint8)
    with torch.no_grad():
        expected = theirs.learned_perceptual_image_patch_similarity(floats(fake), floats(real), normalize=True)
    assert float(expected) > 0.01
    assert computed("lpips", fake, real) == pytest.approx(float(expected), rel=1e-5)
    assert computed("lpips", real, real) == 0


def test_missing_weights_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ATVGNET_ALEXNET", raising=False)
    assert METRICS["lpips"].weights == ALEXNET
    assert "set ATVGNET_ALEXNET to their path" in ALEXNET.problem()
    with pytest.raises(PipelineError, match="set ATVGNET_ALEXNET to their path"):
        METRICS["lpips"].make()
    monkeypatch.setenv("ATVGNET_ALEXNET", "/nowhere/alexnet.pth")
    with pytest.raises(PipelineError, match=r"ATVGNET_ALEXNET is /nowhere/alexnet\.pth, which is not a file"):
        METRICS["lpips"].make()


class Harmful:
    """Pickled, it makes a folder when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_other_files_are_refused_without_running_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "alexnet.pth"
    monkeypatch.setenv("ATVGNET_ALEXNET", str(path))
    path.write_bytes(b"<html>Not found</html>")
    with pytest.raises(PipelineError, match=r"alexnet\.pth is a web page"):
        METRICS["lpips"].make()
    torch.save(Harmful(tmp_path / "harm"), path)
    with pytest.raises(PipelineError, match="would run code, so it is refused"):
        METRICS["lpips"].make()
    assert not (tmp_path / "harm").exists()
    torch.save(torch.zeros(3), path)
    with pytest.raises(PipelineError, match="holds a Tensor, not a state dict"):
        METRICS["lpips"].make()
    torch.save(alexnet().state_dict() | {"features.3.bias": torch.zeros(5)}, path)
    with pytest.raises(PipelineError, match=r"features\.3\.bias has the shape \(5,\), and \(192,\) belongs there"):
        METRICS["lpips"].make()
    torch.save({}, path)
    with pytest.raises(PipelineError, match=r"does not hold torchvision's AlexNet: features\.0\.weight is missing"):
        METRICS["lpips"].make()


def test_lpips_ignores_hidden_pixels(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    weights = {}
    for name, (into, out, kernel, *_) in _CONVOLUTIONS.items():
        weights[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=draw) * (into * kernel**2) ** -0.5
        weights[f"{name}.bias"] = torch.zeros(out)
    path = tmp_path / "alexnet.pth"
    torch.save(weights, path)
    network = PerceptualDistance(path)
    real = 2 * noisy_pair()[1] - 1
    fake = real.clone()
    fake[..., 64:] = 1.0
    spoilt = network(fake, real)
    fake[..., 64:] = torch.nan
    assert (network(fake, real) < spoilt / 10).all()
    assert network(real, real).tolist() == [0, 0]
