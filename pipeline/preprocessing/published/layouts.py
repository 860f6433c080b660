"""The networks of the original release: their tensors' names there and here.

All shapes are the same. The original's keys start with `module.`, as `nn.DataParallel` writes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.models.atnet import AtNet
from pipeline.models.discriminator import Discriminator
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError


@dataclass(frozen=True)
class Layout:
    """A network of the original."""

    title: str
    network: Callable[[], nn.Module]  # builds our network in the original's size and mode
    published: str  # the file that the authors published
    mark: str  # prefix of keys that no other network has
    names: Mapping[str, str]
    """Prefixes of our names, and the original's prefix for each. The first match counts. Two prefixes of the original,
    separated by a space, are one tensor of ours, concatenated along the first axis."""
    joined: tuple[int, ...] = ()  # rows of each concatenated tensor
    unused: str = "-"  # prefix of layers that the original builds but never runs

    def theirs(self, name: str) -> tuple[str, ...]:
        """Return the original's keys, without `module.`, for our tensor `name`."""
        ours = next(prefix for prefix in self.names if name.startswith(prefix))
        return tuple(prefix + name.removeprefix(ours) for prefix in self.names[ours].split())


_SPEECH = {"speech.8.": "audio_eocder_fc.0.", "speech.10.": "audio_eocder_fc.2.", "speech.": "audio_eocder."}

ATNET = Layout(
    "AT-net",
    AtNet,
    "atnet_lstm_18.pth",
    "lmark_encoder.",
    {**_SPEECH, "reference.": "lmark_encoder.", "lstm.": "lstm.", "coefficients.": "lstm_fc.0."},
)

ATNET_SINGLE = Layout(
    "the single-frame AT-net",
    lambda: AtNet(recurrent=False),
    "anet_single_*.pth",
    "audio_eocder_fc.4.",
    {**_SPEECH, "coefficients.": "audio_eocder_fc.4."},
)

VGNET = Layout(
    "VG-net",
    lambda: VgNet(recurrence="batch"),
    "generator_23.pth",
    "image_encoder1.",
    {
        "image_near.": "image_encoder1.",
        "image_deep.": "image_encoder2.",
        "landmark_map.": "landmark_encoder.",
        "landmark_near.": "landmark_encoder_stage2.0.",
        "landmark_deep.": "lmark_feature.0.",
        "motion.0.": "lmark_att.",
        "motion.1.0.": "lmark_att.3.",
        "motion.1.1.": "lmark_att.4.",
        "motion.2.": "lmark_att.6.0.",
        "bottleneck.": "bottle_neck.0.",
        "gru.from_input.weight": "convGRU.weight_ih_l0",
        "gru.from_input.bias": "convGRU.bias_ih_l0",
        "gru.from_hidden.weight": "convGRU.weight_hh_l0",
        "gru.from_hidden.bias": "convGRU.bias_hh_l0",
        **{f"decode_deep.{block}.block.": f"generator1.{block}.conv_block." for block in range(9)},
        "decode_deep.9.0.": "generator1.9.",
        "decode_deep.9.1.": "generator1.10.",
        "decode_deep.10.0.": "generator1.12.",
        "decode_deep.10.1.": "generator1.13.",
        "decode_near.0.": "base.",
        "decode_near.1.0.": "base.3.",
        "decode_near.1.1.": "base.4.",
        "heads.": "generator_color.0. generator_attention.0.",
    },
    joined=(3, 1),
)

DISCRIMINATOR = Layout(
    "the discriminator",
    Discriminator,
    "none: it was never published",
    "image_encoder_dis.",
    {
        "image.5.": "img_fc.0.",
        "image.": "image_encoder_dis.",
        "reference.": "encoder.",
        "lstm.": "lstm.",
        "landmarks.0.": "lstm_fc.0.",
        "decision.": "decision.0.",
    },
    unused="decoder.",  # 594,568 parameters
)


def recognize(tensors: Mapping[str, Tensor]) -> Layout | None:
    """Return the layout of these weights by their names, or None."""
    bare = [key.removeprefix("module.") for key in tensors]
    layouts = (ATNET, ATNET_SINGLE, VGNET, DISCRIMINATOR)
    return next((layout for layout in layouts if any(key.startswith(layout.mark) for key in bare)), None)


def build(layout: Layout, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return our network with the original's weights, float32, in eval mode.

    Raises PipelineError with the original's name of the first key that is missing, misshapen or unknown.
    """
    left = {key.removeprefix("module."): key for key in tensors}
    with torch.device("meta"):  # all weights are replaced below
        network = layout.network()
    ours = {}
    for name, own in network.state_dict().items():
        keys = layout.theirs(name)
        pieces = own.split(layout.joined) if len(keys) > 1 else [own]
        parts = [_fitting(key, tensors.get(left.pop(key, "")), piece) for key, piece in zip(keys, pieces, strict=True)]
        ours[name] = torch.cat(parts) if len(parts) > 1 else parts[0]
    for bare, key in left.items():
        if not bare.startswith(layout.unused):
            raise PipelineError(f"{key} is not a tensor of {layout.title}")
    network.load_state_dict(ours, assign=True)
    return network.eval()


def _fitting(key: str, tensor: Tensor | None, own: Tensor) -> Tensor:
    if tensor is None:
        if key.endswith(".num_batches_tracked"):  # PyTorch before 0.4.1 did not write this counter
            return torch.zeros((), dtype=own.dtype)
        raise PipelineError(f"module.{key} is missing")
    if tensor.shape != own.shape:
        raise PipelineError(f"module.{key} has shape {tuple(tensor.shape)} where {tuple(own.shape)} belongs")
    if tensor.layout is not torch.strided or tensor.is_floating_point() != own.is_floating_point():
        raise PipelineError(f"module.{key} is {tensor.dtype}, {tensor.layout} where plain {own.dtype} belongs")
    return tensor.to(own.dtype)
