"""Both networks, from the reference and the speech alone: the system itself."""

from dataclasses import replace

import numpy as np

from pipeline.evaluation.baselines.base import BaselineEntry, Generated, TestClip, painted, register, spoken
from pipeline.inference.talking_head import TalkingHead


def at_vg(head: TalkingHead, clip: TestClip) -> Generated:
    """Landmarks from the speech, painted."""
    landmarks_TL = spoken(head, clip, clip.windows_TRC)
    real_TL = head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2)
    coefficients = np.stack([head.preprocessing.project(one) for one in (landmarks_TL, real_TL)])
    return replace(painted(head, clip, landmarks_TL, spoken=True), coefficients_2TK=coefficients)


register(
    BaselineEntry("at_vg", "both networks, from speech alone", at_vg, judges={"atvgnet": "", "atvgnet-atnet": "vgnet"})
)
