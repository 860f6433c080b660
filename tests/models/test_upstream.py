"""Equal to the original: the layouts and outputs recorded from its release, in a folder named by ATVGNET_UPSTREAM."""

import json
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.errors import PipelineError
from pipeline.models import AtNet, Discriminator, VgNet, upstream
from pipeline.models.io import first_mismatch

FOLDER = os.environ.get("ATVGNET_UPSTREAM")
pytestmark = pytest.mark.skipif(not FOLDER, reason="ATVGNET_UPSTREAM names no folder with the original's layouts")

NETWORKS: dict[str, tuple[type[nn.Module], dict[str, Any], upstream.Names]] = {
    "atnet_lstm": (AtNet, {}, upstream.ATNET),
    "atnet_single": (AtNet, {"recurrent": False}, upstream.ATNET),
    "vgnet_generator": (VgNet, {"recurrence": "batch"}, upstream.VGNET),
    "discriminator": (Discriminator, {}, upstream.DISCRIMINATOR),
}
UNUSED = {"discriminator": 594_568}  # parameters of a layer that the original builds and never runs


@pytest.fixture(scope="module")
def layouts() -> dict[str, Any]:
    layouts: dict[str, Any] = json.loads((Path(str(FOLDER)) / "checkpoint_layout.json").read_text())
    return layouts


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    with np.load(Path(str(FOLDER)) / "golden.npz") as arrays:
        return {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}


def filled(layout: dict[str, list[int]]) -> dict[str, Tensor]:
    """Weights by the rule under which the original's outputs were recorded: each from its key's name and shape."""
    tensors = {}
    for name, shape in layout.items():
        w: Any = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
        last = name.split(".")[-1]
        if last == "num_batches_tracked":
            w = np.zeros(shape, np.int64)
        elif last == "running_var":
            w = 1 + 0.1 * np.abs(w)
        elif last == "running_mean" or "bias" in last:
            w = 0.1 * w
        elif len(shape) == 1:
            w = 1 + 0.1 * w
        else:
            w = w * np.float32(math.sqrt(2 / math.prod(shape[1:])))
        tensors[name] = torch.from_numpy(np.asarray(w))
    return tensors


def imported(layouts: dict[str, Any], name: str) -> nn.Module:
    kind, arguments, names = NETWORKS[name]
    network = kind(**arguments)
    tensors = upstream.renamed(filled(layouts[name]["state_dict"]), names)
    assert first_mismatch(network, tensors) is None
    network.load_state_dict(tensors)
    return network.eval()


def assert_equal(ours: Tensor, golden: Tensor) -> None:
    assert ours.shape == golden.shape
    torch.testing.assert_close(ours, golden, rtol=0, atol=1e-3 * golden.abs().max().item())


@pytest.mark.parametrize("name", NETWORKS)
def test_parameter_count(name: str, layouts: dict[str, Any]) -> None:
    kind, arguments, _ = NETWORKS[name]
    with torch.device("meta"):
        ours = sum(parameter.numel() for parameter in kind(**arguments).parameters())
    assert ours == layouts[name]["parameters"] - UNUSED.get(name, 0)


@torch.inference_mode()
def test_atnet(layouts: dict[str, Any], golden: dict[str, Tensor]) -> None:
    network = imported(layouts, "atnet_lstm")
    assert_equal(
        network(golden["atnet_lstm__example"], golden["atnet_lstm__mfcc"].unsqueeze(2)), golden["atnet_lstm__out"]
    )


@torch.inference_mode()
def test_single_frame_atnet(layouts: dict[str, Any], golden: dict[str, Tensor]) -> None:
    network = imported(layouts, "atnet_single")
    mfcc_1T1RC = golden["atnet_single__mfcc"][None, :, None]
    assert_equal(network(torch.zeros(1, 6), mfcc_1T1RC)[0], golden["atnet_single__out"])


@torch.inference_mode()
def test_vgnet(layouts: dict[str, Any], golden: dict[str, Tensor]) -> None:
    network = imported(layouts, "vgnet_generator")
    out = network(golden["vgnet__image"], golden["vgnet__example"], golden["vgnet__landmarks"])
    assert_equal(out.frames_BTCHW, golden["vgnet__frames"])
    assert_equal(out.attention_BT1HW, golden["vgnet__attention"])
    assert_equal(out.colour_BTCHW, golden["vgnet__color"])
    assert_equal(out.landmark_attention_BT1HW, golden["vgnet__landmark_attention"])


@torch.inference_mode()
def test_discriminator(layouts: dict[str, Any], golden: dict[str, Tensor]) -> None:
    network = imported(layouts, "discriminator")
    logits_B, landmarks_BTL = network(golden["disc__frames"], golden["disc__example"])
    assert_equal(torch.sigmoid(logits_B), golden["disc__p"])
    assert_equal(landmarks_BTL, golden["disc__landmarks"])


def test_a_file_of_another_network_is_refused(layouts: dict[str, Any]) -> None:
    with pytest.raises(PipelineError, match=r"module\.lmark_encoder\.0\.weight is no tensor of this network"):
        upstream.renamed(filled(layouts["atnet_lstm"]["state_dict"]), upstream.VGNET)
