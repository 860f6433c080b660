"""What the networks promise beside the original's outputs, at a small width."""

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.models.atnet import AtNet, Encoder
from pipeline.models.discriminator import Discriminator, MouthDiscriminator
from pipeline.models.vgnet import ConvGru, Recurrence, VgNet


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def vg_inputs(batch: int, frames: int, size: int = 128) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.rand(batch, 3, size, size) * 2 - 1, torch.randn(batch, 136), torch.randn(batch, frames, 136)


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_convgru_has_the_gates_of_torch_gru() -> None:
    """With one pixel, only the kernels' centres count, and a ConvGRU is a GRU."""
    ours, reference = ConvGru(5, 4), torch.nn.GRU(5, 4, batch_first=True)
    own = ours.state_dict()
    reference.load_state_dict(
        {
            "weight_ih_l0": own["from_input.weight"][:, :, 1, 1],
            "weight_hh_l0": own["from_hidden.weight"][:, :, 1, 1],
            "bias_ih_l0": own["from_input.bias"],
            "bias_hh_l0": own["from_hidden.bias"],
        }
    )
    x_BTC = torch.randn(2, 7, 5)
    hidden, state = ours(x_BTC[..., None, None])
    close(hidden[..., 0, 0], reference(x_BTC)[0])
    close(state, hidden[:, -1])


@torch.inference_mode()
def test_convgru_recurs_over_what_it_is_told() -> None:
    x = torch.randn(3, 4, 5, 8, 8)
    kinds: tuple[Recurrence, ...] = ("time", "batch", "none")
    grus = {kind: ConvGru(5, 6, kind) for kind in kinds}
    for gru in grus.values():
        gru.load_state_dict(grus["time"].state_dict())
    over_time, over_batch, alone = (grus[kind](x)[0] for kind in kinds)
    close(over_batch, grus["time"](x.transpose(0, 1))[0].transpose(0, 1))
    close(alone, grus["time"](x.flatten(0, 1).unsqueeze(1))[0].squeeze(1).unflatten(0, (3, 4)))
    close(over_time[:, 0], alone[:, 0])
    assert not torch.allclose(over_time[:, 1:], alone[:, 1:])
    close(grus["batch"](x[:1])[0], alone[:1])  # one video alone: every frame from zero


@torch.inference_mode()
@pytest.mark.parametrize("size", [128, 256])
def test_vgnet_in_pieces_equals_vgnet_at_once(size: int) -> None:
    network = VgNet(width=8, size=size).eval()
    image, reference, landmarks = vg_inputs(2, 5, size)
    whole = network(image, reference, landmarks)
    first = network(image, reference, landmarks[:, :2])
    rest = network(image, reference, landmarks[:, 2:], first.state_BCHW)
    close(torch.cat([first.frames_BTCHW, rest.frames_BTCHW], dim=1), whole.frames_BTCHW)


@torch.inference_mode()
def test_a_state_of_zeros_is_no_state() -> None:
    """To the bit, so that programs that must give one begin with zeros."""
    network, given = VgNet(width=8).eval(), vg_inputs(1, 3)
    for begun, without in zip(network(*given, torch.zeros(1, 64, 8, 8)), network(*given), strict=True):
        assert torch.equal(begun, without)
    hearing, heard = AtNet(width=8).eval(), (torch.randn(1, 6), torch.randn(1, 3, 1, 28, 12))
    zeros = torch.zeros(3, 1, 32), torch.zeros(3, 1, 32)
    assert torch.equal(hearing.stream(*heard, zeros)[0], hearing(*heard))


@torch.inference_mode()
@pytest.mark.parametrize("size", [128, 256])
def test_vgnet_composes_paint_and_example_by_attention(size: int) -> None:
    image, reference, landmarks = vg_inputs(1, 2, size)
    out = VgNet(width=8, size=size).eval()(image, reference, landmarks)
    assert out.frames_BTCHW.shape == (1, 2, 3, size, size)
    assert out.landmark_attention_BT1HW.shape == (1, 2, 1, 32, 32)
    a, c = out.attention_BT1HW.numpy(), out.colour_BTCHW.numpy()
    np.testing.assert_allclose(out.frames_BTCHW.numpy(), a * c + (1 - a) * image[:, None].numpy(), atol=1e-5)


@torch.inference_mode()
def test_vgnet_without_attention_is_all_paint() -> None:
    out = VgNet(width=8, attention=False).eval()(*vg_inputs(1, 2))
    assert (out.attention_BT1HW == 1).all()
    assert torch.equal(out.frames_BTCHW, out.colour_BTCHW)


@torch.inference_mode()
@pytest.mark.parametrize("recurrent", [True, False])
@pytest.mark.parametrize(("encoder", "columns"), [("conv2d", 12), ("conv1d", 12), ("embedding", 32)])
def test_atnet_in_pieces_equals_atnet_at_once(recurrent: bool, encoder: Encoder, columns: int) -> None:
    network = AtNet(4, 8, recurrent, columns, encoder).eval()
    rows = network.inputs["windows_BT1RC"][3]
    sound = torch.randn(2, 6 * 4 + rows, columns)
    windows = torch.stack([sound[:, 4 * frame : 4 * frame + rows] for frame in range(7)], dim=1)[:, :, None]
    reference = torch.randn(2, 4)
    first, state = network.stream(reference, windows[:, :3])
    rest, _ = network.stream(reference, windows[:, 3:], state)
    close(torch.cat([first, rest], dim=1), network(reference, windows))


def test_files_of_the_papers_network_name_no_encoder() -> None:
    assert "encoder" not in AtNet(width=8).arguments
    assert AtNet(width=8, encoder="conv1d").arguments["encoder"] == "conv1d"


def test_the_mouths_discriminator_sees_patches_of_26_pixels() -> None:
    mouth = torch.rand(1, 3, 64, 80, requires_grad=True)
    logits = MouthDiscriminator(width=8)(mouth)
    assert logits.shape == (1, 1, 16, 20)
    logits[0, 0, 8, 10].backward()
    assert mouth.grad is not None
    assert [int(mouth.grad[0].abs().sum(dim=(0, axis)).count_nonzero()) for axis in (2, 1)] == [26, 26]


@torch.inference_mode()
@pytest.mark.parametrize("size", [128, 256])
def test_discriminator_reads_landmarks_as_an_offset_to_the_example(size: int) -> None:
    reference = torch.randn(2, 136)
    logits, landmarks = Discriminator(width=8, size=size).eval()(torch.rand(2, 3, 3, size, size), reference)
    assert logits.shape == (2,)
    assert landmarks.shape == (2, 3, 136)
    assert ((landmarks - reference[:, None]).abs() < 1).all()


@pytest.mark.parametrize("kind", [VgNet, Discriminator])
def test_a_size_more_is_a_level_more_and_nothing_else(kind: type[VgNet | Discriminator]) -> None:
    """All but the outermost layers are those of 128, and so are the files of 128."""
    with torch.device("meta"):
        small, large = kind(width=64), kind(width=64, size=256)
    outer = ("image_near", "decode_near", "heads", "image")
    shapes = [
        {name: one.shape for name, one in network.state_dict().items() if name.partition(".")[0] not in outer}
        for network in (small, large)
    ]
    assert shapes[0] == shapes[1]
    convolutions = [
        sum(isinstance(one, nn.Conv2d | nn.ConvTranspose2d) for one in net.modules()) for net in (small, large)
    ]
    assert convolutions[1] - convolutions[0] == (2 if kind is VgNet else 1)
    assert "size" not in small.arguments
    assert large.arguments["size"] == 256
    with pytest.raises(ValueError, match="size must be 128 or 256, not 64"):
        kind(size=64)


@pytest.mark.parametrize("width", [8, 16, 32])
def test_width_scales_the_parameters(width: int) -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    with torch.device("meta"):
        for kind in (AtNet, VgNet, Discriminator):
            # Nearly all parameters join two scaled counts, so they go with the square.
            assert count(kind(width=width)) == pytest.approx(count(kind(width=64)) * (width / 64) ** 2, rel=0.25)
