"""Small copies of bundles, and the bundle that ships with the project."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from pipeline.bundles.bundle import load_bundle, write_provenance
from pipeline.bundles.location import pretrained_folder
from pipeline.bundles.networks import load_model
from pipeline.bundles.small_copy import write_small_copy
from pipeline.cli import app
from pipeline.runtime.errors import PipelineError
from tests.factories import write_bundle


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = write_bundle(tmp_path / "trained")
    write_provenance(folder, "a" * 40)
    (folder / "vgnet" / "discriminator.safetensors").write_bytes(b"not needed")
    return folder


def test_a_small_copy_is_half_as_large_and_reads_as_float32(trained: Path, tmp_path: Path) -> None:
    write_small_copy(trained, tmp_path / "shipped", {"seen": "Many faces."})
    whole, half = load_bundle(trained), load_bundle(tmp_path / "shipped")
    assert half.card == {**whole.card, "seen": "Many faces.", "parts": half.card["parts"]}
    for part in ("atnet", "vgnet"):
        stored = load_file(tmp_path / "shipped" / part / "model.safetensors")
        assert {tensor.dtype for tensor in stored.values()} == {torch.float16, torch.int64}
        assert not (tmp_path / "shipped" / part / "discriminator.safetensors").exists()
        ours, theirs = (getattr(bundle, part).state_dict() for bundle in (half, whole))
        for name, tensor in ours.items():
            assert tensor.dtype in (torch.float32, torch.int64)
            np.testing.assert_allclose(tensor, theirs[name], rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_the_command_exports_the_shipped_bundle_by_default(trained: Path, tmp_path: Path) -> None:
    """Like export onnx and mlflow. Nothing has to be trained first."""
    for name, options in (("shipped", []), ("mine", ["--models", str(trained)])):
        to = tmp_path / name / "small"
        done = CliRunner().invoke(app, ["export", "bundle", "--to", str(to), *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        source = Path(options[1]) if options else pretrained_folder()
        assert re.search(rf"small: [\d.]+ [kM]B, from {source}$", done.output.replace("\n", ""))
        assert load_bundle(to).card["metrics"] == load_bundle(source).card["metrics"]


def test_incomplete_bundles_are_rejected(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(PipelineError, match="there is there already"):
        write_small_copy(trained, tmp_path / "there", {})
    (trained / "bundle.json").unlink()
    with pytest.raises(PipelineError, match=r"has no card of this project's\. Evaluate it first"):
        write_small_copy(trained, tmp_path / "shipped", {})


def test_the_shipped_bundle_is_small_and_has_a_card() -> None:
    """At most 30 MB, with metrics, licence, attribution and a README."""
    folder = pretrained_folder()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 30e6
    card = load_bundle(folder).card
    assert {"metrics", "licence", "attribution", "seen", "trained_on"} <= set(card)
    assert "Cooke" in card["attribution"]
    for part in ("atnet", "vgnet"):
        network, _ = load_model(folder / part, "model")
        assert all(torch.isfinite(tensor).all() for tensor in network.state_dict().values())
    page = (folder / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == ["Use", "Intended use and consent", "Data and attribution", "How trained", "Metrics", "Limits"]
    spoken = [row for name, row in card["metrics"].items() if name.startswith("at_vg")]
    assert len(spoken) == 2  # a speaker whom it has seen, and others
    for row in spoken:
        for name, digits in (("lmd", 3), ("psnr", 2), ("ssim", 3)):
            assert f"{row[name]:.{digits}f} [{row[f'{name}_low']:.{digits}f}, {row[f'{name}_high']:.{digits}f}]" in page
    json.dumps(dict(card), allow_nan=False)
