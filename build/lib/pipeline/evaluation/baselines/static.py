"""The reference frame repeated: what a metric is worth that any picture of the speaker reaches."""

import numpy as np

from pipeline.evaluation.baselines.base import BaselineEntry, Generated, TestClip, register
from pipeline.inference.talking_head import TalkingHead


def static(head: TalkingHead, clip: TestClip) -> Generated:
    """As many frames as the clip has, all the same."""
    return Generated(np.repeat(clip.reference.image_HWC[None], len(clip.frames_THWC), axis=0))


register(BaselineEntry("static", "the first frame repeated", static))
