"""The real frames themselves: what the metrics say of a perfect copy, and of real speech where they need no copy."""

from pipeline.evaluation.baselines.base import BaselineEntry, Generated, TestClip, register
from pipeline.inference.talking_head import TalkingHead


def ground_truth(head: TalkingHead, clip: TestClip) -> Generated:
    """The clip's own frames."""
    return Generated(clip.frames_THWC)


register(BaselineEntry("ground_truth", "the real frames", ground_truth))
