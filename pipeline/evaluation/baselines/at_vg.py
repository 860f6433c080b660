"""Both networks, from the reference and the speech alone: the system itself."""

import numpy as np

from pipeline.evaluation.baselines.base import BaselineEntry, Generated, TestClip, painted, register
from pipeline.inference.talking_head import TalkingHead, chunks


def at_vg(head: TalkingHead, clip: TestClip) -> Generated:
    """Landmarks from the speech, painted."""
    landmarks_TL = np.concatenate(list(head.landmarks(clip.reference, chunks(clip.windows_TRC))))
    return painted(head, clip, landmarks_TL, spoken=True)


register(
    BaselineEntry("at_vg", "both networks, from speech alone", at_vg, judges={"atvgnet": "", "atvgnet-atnet": "vgnet"})
)
