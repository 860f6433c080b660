"""Both networks from what is said in another clip: what a metric is worth that hardly listens."""

from pipeline.evaluation.baselines.base import (
    BaselineEntry,
    Generated,
    NotGenerated,
    TestClip,
    painted,
    register,
    spoken,
)
from pipeline.inference.talking_head import TalkingHead


def mismatched(head: TalkingHead, clip: TestClip) -> Generated:
    """The other clip's speech, painted; measured beside this clip's frames and sound."""
    if clip.other_TRC is None:
        raise NotGenerated("no other clip says something else")
    return painted(head, clip, spoken(head, clip, clip.other_TRC), spoken=True)


register(BaselineEntry("mismatched", "both networks, from another clip's sound", mismatched))
