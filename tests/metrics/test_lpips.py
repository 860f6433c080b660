"""LPIPS with weights that a test draws, against torchmetrics' own."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.functional.image import lpips as theirs

from pipeline.metrics import METRICS
from pipeline.metrics.lpips import ALEXNET
from pipeline.runtime.errors import PipelineError
from tests.metrics.faces import computed, face, floats

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


def test_it_is_torchmetrics_own(backbone: nn.ModuleDict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda net, pretrained: backbone["features"])
    real = np.stack([face(), face()[::-1]])
    fake = np.clip(real + DRAW.normal(0, 30, real.shape), 0, 255).astype(np.uint8)
    with torch.no_grad():
        expected = theirs.learned_perceptual_image_patch_similarity(floats(fake), floats(real), normalize=True)
    assert float(expected) > 0.01
    assert computed("lpips", fake, real) == pytest.approx(float(expected), rel=1e-5)
    assert computed("lpips", real, real) == 0


def test_weights_that_are_not_given_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ATVGNET_ALEXNET", raising=False)
    assert METRICS["lpips"].weights == ALEXNET
    assert "ATVGNET_ALEXNET is to hold their path" in ALEXNET.problem()
    with pytest.raises(PipelineError, match="ATVGNET_ALEXNET is to hold their path"):
        METRICS["lpips"].make()
    monkeypatch.setenv("ATVGNET_ALEXNET", "/nowhere/alexnet.pth")
    with pytest.raises(PipelineError, match=r"ATVGNET_ALEXNET is /nowhere/alexnet\.pth, which is not a file"):
        METRICS["lpips"].make()


def test_worker_processes_know_what_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "here.pth").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATVGNET_ALEXNET", "")
    ALEXNET.set_path("here.pth")
    assert ALEXNET.problem() == ""
    assert ALEXNET.path() == tmp_path / "here.pth"
    assert os.environ["ATVGNET_ALEXNET"] == str(tmp_path / "here.pth")


class Harmful:
    """Pickled, it makes a folder when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_other_files_are_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
