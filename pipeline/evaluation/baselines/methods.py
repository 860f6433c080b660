"""The whole system, and the baselines that put its metrics into perspective."""

from dataclasses import replace

import numpy as np

from pipeline.evaluation.baselines.base import (
    AT_VG,
    BASELINES,
    GROUND_TRUTH,
    MISMATCHED,
    SILENT,
    STATIC,
    VG_GT,
    BaselineEntry,
    Generated,
    NotGenerated,
    TestClip,
    paint_landmarks,
    speech_landmarks,
)
from pipeline.inference.talking_head import TalkingHead
from pipeline.runtime.clock import SAMPLES_PER_FRAME
from pipeline.speech.sound import Sound


def ground_truth(head: TalkingHead, clip: TestClip) -> Generated:
    """The clip's own frames: the metrics of a perfect copy and of real speech."""
    return Generated(clip.frames_THWC)


def static(head: TalkingHead, clip: TestClip) -> Generated:
    """The reference in every frame: the metrics of any picture of the speaker."""
    return Generated(np.repeat(clip.reference.image_HWC[None], len(clip.frames_THWC), axis=0))


def mismatched(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks on another clip's speech: the metrics of a system that ignores what is said."""
    if clip.other_TRC is None:
        raise NotGenerated("no other clip says something else")
    return paint_landmarks(head, clip, speech_landmarks(head, clip, clip.other_TRC), spoken=True)


def silent(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks on digital silence: movement here does not come from the sound."""
    frames = len(clip.frames_THWC)
    silence = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
    windows_TRC = np.concatenate(list(head.preprocessing.windows(Sound([silence]), frames)))
    return paint_landmarks(head, clip, speech_landmarks(head, clip, windows_TRC), spoken=True)


def vg_gt(head: TalkingHead, clip: TestClip) -> Generated:
    """VG-net on the clip's own landmarks: the quality of the pictures without AT-net's errors."""
    return paint_landmarks(head, clip, head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2))


def at_vg(head: TalkingHead, clip: TestClip) -> Generated:
    """Both networks, from the reference and the speech alone: the system itself."""
    landmarks_TL = speech_landmarks(head, clip, clip.windows_TRC)
    real_TL = head.preprocessing.normalize(clip.points_T68x2, clip.reference.points_68x2)
    coefficients = np.stack([head.preprocessing.project(landmarks) for landmarks in (landmarks_TL, real_TL)])
    return replace(paint_landmarks(head, clip, landmarks_TL, spoken=True), coefficients_2TK=coefficients)


BASELINES.add(
    BaselineEntry(GROUND_TRUTH, "the real frames", ground_truth),
    BaselineEntry(STATIC, "the first frame repeated", static),
    BaselineEntry(MISMATCHED, "both networks, from another clip's sound", mismatched),
    BaselineEntry(SILENT, "both networks, from silence", silent),
    BaselineEntry(VG_GT, "VG-net on real landmarks", vg_gt, decides={"atvgnet-vgnet": ""}),
    BaselineEntry(AT_VG, "both networks, from speech alone", at_vg, decides={"atvgnet": "", "atvgnet-atnet": "vgnet"}),
)
