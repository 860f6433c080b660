"""Networks prepared for inference give the outputs of the trained ones."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.models.folding import for_inference
from pipeline.models.vgnet import VgNet
from pipeline.runtime.devices import autocast

CPU = torch.device("cpu")


def as_if_trained(network: VgNet) -> VgNet:
    """Set means, deviations, gains and shifts that are neither 0 nor 1."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_var, module.weight):
                assert values is not None
                values.data.uniform_(0.5, 2)
            for values in (module.running_mean, module.bias):
                assert values is not None
                values.data.uniform_(-0.5, 0.5)
    return network.eval()


@pytest.fixture(scope="module")
def trained() -> VgNet:
    torch.manual_seed(0)
    return as_if_trained(VgNet(width=16))


@pytest.fixture(scope="module")
def inputs() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.rand(2, 3, 128, 128) * 2 - 1, torch.randn(2, 136), torch.randn(2, 5, 136)


@torch.inference_mode()
@pytest.mark.parametrize("attention", [True, False])
def test_the_same_frames_without_batch_normalisation(inputs: tuple[Tensor, Tensor, Tensor], attention: bool) -> None:
    torch.manual_seed(0)
    network = as_if_trained(VgNet(width=16, attention=attention))
    ready = for_inference(network, CPU, "float32")
    assert not any(isinstance(module, nn.BatchNorm2d) for module in ready.modules())
    for one, other in zip(network(*inputs)[:4], ready(*inputs)[:4], strict=True):
        torch.testing.assert_close(other, one, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_nearly_the_same_in_bfloat16(trained: VgNet, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
    ready = for_inference(trained, CPU, "bfloat16")
    assert {parameter.dtype for parameter in ready.parameters()} == {torch.bfloat16}
    with autocast(CPU, "bfloat16"):
        frames = ready(*inputs).frames_BTCHW
    difference = (frames.float() - trained(*inputs).frames_BTCHW).abs()
    assert 0 < difference.mean() < 0.01  # of pictures in [-1, 1]


def test_the_trained_network_does_not_change(trained: VgNet) -> None:
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    for_inference(trained, CPU, "bfloat16")
    after = trained.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())
