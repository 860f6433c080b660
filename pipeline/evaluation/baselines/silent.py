"""Both networks from digital silence: what leaks from the reference, since nothing is to be heard.

A mouth that moves here, or that stays as the reference has it where it should close, does not follow the sound.
"""

import numpy as np

from pipeline.evaluation.baselines.base import BaselineEntry, Generated, TestClip, painted, register, spoken
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.speech.sound import Sound


def silent(head: TalkingHead, clip: TestClip) -> Generated:
    """Silence of the clip's length, painted."""
    frames = len(clip.frames_THWC)
    nothing = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
    heard = np.concatenate(list(head.preprocessing.windows(Sound([nothing]), frames)))
    return painted(head, clip, spoken(head, clip, heard), spoken=True)


register(BaselineEntry("silent", "both networks, from silence", silent))
