"""The names of the original release's tensors, as names of ours.

Its published files are state dicts whose keys start with `module.`; shapes are the same as ours throughout.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from pipeline.errors import PipelineError

Names = tuple[tuple[str, str], ...]
"""Pairs of a prefix of the original's keys (a regular expression, without `module.`) and what replaces it."""

ATNET: Names = (
    (r"lmark_encoder\.", "example."),
    (r"audio_eocder\.", "speech."),
    (r"audio_eocder_fc\.0\.", "speech.8."),
    (r"audio_eocder_fc\.2\.", "speech.10."),
    (r"audio_eocder_fc\.4\.", "coefficients."),  # the single-frame network ends here
    (r"lstm\.", "lstm."),
    (r"lstm_fc\.0\.", "coefficients."),
)

VGNET: Names = (
    (r"image_encoder1\.", "image_near."),
    (r"image_encoder2\.", "image_deep."),
    (r"landmark_encoder\.0\.", "landmark_map.0."),
    (r"landmark_encoder_stage2\.0\.", "landmark_near."),
    (r"lmark_feature\.0\.", "landmark_deep."),
    (r"lmark_att\.([01])\.", r"motion.0.\1."),
    (r"lmark_att\.3\.", "motion.1.0."),
    (r"lmark_att\.4\.", "motion.1.1."),
    (r"lmark_att\.6\.0\.", "motion.2."),
    (r"bottle_neck\.0\.", "bottleneck."),
    (r"convGRU\.(weight|bias)_ih_l0", r"gru.from_input.\1"),
    (r"convGRU\.(weight|bias)_hh_l0", r"gru.from_hidden.\1"),
    (r"generator1\.([0-8])\.conv_block\.", r"decode_deep.\1.block."),
    (r"generator1\.9\.", "decode_deep.9.0."),
    (r"generator1\.10\.", "decode_deep.9.1."),
    (r"generator1\.12\.", "decode_deep.10.0."),
    (r"generator1\.13\.", "decode_deep.10.1."),
    (r"base\.([01])\.", r"decode_near.0.\1."),
    (r"base\.3\.", "decode_near.1.0."),
    (r"base\.4\.", "decode_near.1.1."),
    (r"generator_color\.0\.", "heads."),
    (r"generator_attention\.0\.", "heads."),
)

DISCRIMINATOR: Names = (
    (r"image_encoder_dis\.", "image."),
    (r"img_fc\.0\.", "image.5."),
    (r"encoder\.", "example."),
    (r"decoder\.", ""),  # 594,568 parameters that the original's forward never uses; ours leaves them out
    (r"lstm\.", "lstm."),
    (r"lstm_fc\.0\.", "landmarks.0."),
    (r"decision\.0\.", "decision."),
)


def renamed(tensors: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """The original's tensors under our names; sharers of one are joined along the first axis in the order of `names`.

    Raises PipelineError naming the first key that the original's network of this kind does not have.
    """
    theirs = {key.removeprefix("module."): (key, tensor) for key, tensor in tensors.items()}
    ours: dict[str, Tensor] = {}
    for pattern, replacement in names:
        for bare in [bare for bare in theirs if re.match(pattern, bare)]:
            _, tensor = theirs.pop(bare)
            if replacement:
                name = re.sub(rf"^{pattern}", replacement, bare)
                ours[name] = torch.cat([ours[name], tensor]) if name in ours else tensor
    for key, _ in theirs.values():
        raise PipelineError(f"{key} is no tensor of this network. Give the file of the right network.")
    return ours
