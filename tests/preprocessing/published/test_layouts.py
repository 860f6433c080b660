"""The original's tensors under our names give its outputs; errors name its keys."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.preprocessing.published.layouts import ATNET, ATNET_SINGLE, DISCRIMINATOR, VGNET, Layout, build, recognize
from pipeline.runtime.errors import PipelineError
from tests.preprocessing.published.original import Layouts, assert_equal, filled, hollow

ALL = {"atnet_lstm": ATNET, "atnet_single": ATNET_SINGLE, "vgnet_generator": VGNET, "discriminator": DISCRIMINATOR}
UNUSED = {"discriminator": 594_568}  # parameters of a layer that the original builds and never runs


@pytest.mark.parametrize("name", ALL)
def test_every_tensor_is_mapped(name: str, layouts: Layouts) -> None:
    tensors = hollow(layouts[name]["state_dict"])
    assert recognize(tensors) is ALL[name]
    network = build(ALL[name], tensors)
    ours = sum(parameter.numel() for parameter in network.parameters())
    assert ours == layouts[name]["parameters"] - UNUSED.get(name, 0)


@torch.inference_mode()
def test_single_frame_atnet(layouts: Layouts, golden: dict[str, Tensor]) -> None:
    network = build(ATNET_SINGLE, filled(layouts["atnet_single"]["state_dict"]))
    mfcc_1T1RC = golden["atnet_single__mfcc"][None, :, None]
    assert_equal(network(torch.zeros(1, 6), mfcc_1T1RC)[0], golden["atnet_single__out"])


@torch.inference_mode()
def test_discriminator(layouts: Layouts, golden: dict[str, Tensor]) -> None:
    network = build(DISCRIMINATOR, filled(layouts["discriminator"]["state_dict"]))
    logits_B, landmarks_BTL = network(golden["disc__frames"], golden["disc__example"])
    assert_equal(torch.sigmoid(logits_B), golden["disc__p"])
    assert_equal(landmarks_BTL, golden["disc__landmarks"])


@pytest.mark.parametrize(
    ("layout", "changes", "message"),
    [
        (VGNET, {"base.3.weight": None}, r"^module\.base\.3\.weight is missing$"),
        (VGNET, {"extra.bias": torch.zeros(3)}, r"^module\.extra\.bias is not a tensor of VG-net$"),
        (
            VGNET,
            {"convGRU.bias_hh_l0": torch.zeros(1537)},
            r"^module\.convGRU\.bias_hh_l0 has shape \(1537,\) where \(1536,\)",
        ),
        (
            VGNET,
            {"generator_color.0.bias": torch.zeros(2), "generator_attention.0.bias": torch.zeros(2)},
            r"^module\.generator_color\.0\.bias has shape \(2,\) where \(3,\) belongs",
        ),
        (ATNET, {"lstm_fc.0.bias": torch.zeros(6, dtype=torch.int64)}, r"lstm_fc\.0\.bias is torch\.int64"),
        (ATNET, {"lstm_fc.0.bias": torch.zeros(6).to_sparse()}, r"lstm_fc\.0\.bias is torch\.float32, torch\.sparse"),
    ],
)
def test_the_first_wrong_key_is_named(
    layout: Layout, changes: dict[str, Tensor | None], message: str, layouts: Layouts
) -> None:
    (name,) = (name for name, known in ALL.items() if known is layout)
    tensors = hollow(layouts[name]["state_dict"])
    for key, tensor in changes.items():
        if tensor is None:
            del tensors[f"module.{key}"]
        else:
            tensors[f"module.{key}"] = tensor
    with pytest.raises(PipelineError, match=message):
        build(layout, tensors)


def test_older_and_bare_state_dicts(layouts: Layouts) -> None:
    """Without the counter of PyTorch 0.4.1, and without the prefix of nn.DataParallel."""
    tensors = {
        key.removeprefix("module."): tensor.half() if tensor.is_floating_point() else tensor
        for key, tensor in hollow(layouts["atnet_lstm"]["state_dict"]).items()
        if not key.endswith("num_batches_tracked")
    }
    network = build(ATNET, tensors)
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32, torch.int64}


def test_other_networks_are_not_recognized(tmp_path: Path) -> None:
    assert recognize({"conv1.weight": torch.zeros(1), "lstm.weight_ih_l0": torch.zeros(1)}) is None
