"""VG-net on the real landmarks: what the pictures are worth without AT-net's errors."""

from pipeline.evaluation.baselines.base import BaselineEntry, Generated, TestClip, painted, register
from pipeline.inference.talking_head import TalkingHead


def vg_gt(head: TalkingHead, clip: TestClip) -> Generated:
    """The clip's own landmarks, painted."""
    return painted(head, clip, head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2))


register(BaselineEntry("vg_gt", "VG-net on real landmarks", vg_gt, judges={"atvgnet-vgnet": ""}))
