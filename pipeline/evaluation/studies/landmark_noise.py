"""Pictures from inexact landmarks: VG-net on real landmarks with noise, as in Chen et al., CVPR 2019."""

from collections.abc import Mapping

import numpy as np

from pipeline.evaluation.baselines.base import REFERENCE_FRAME, paint_landmarks
from pipeline.evaluation.studies import Study, StudyClip
from pipeline.faces.crop import SIZE
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import observe


def add_landmark_noise(head: TalkingHead, study_clip: StudyClip, deviation: float) -> Mapping[str, float]:
    """All metrics with Gaussian noise of ``deviation`` pixels of a 128x128 face on every point of every frame."""
    clip = study_clip.clip
    noise = np.random.default_rng(study_clip.seed).normal(size=clip.points_T68x2.shape)
    scale = deviation * clip.frames_THWC.shape[1] / SIZE
    points = clip.points_T68x2 + (scale * noise).astype(np.float32)
    landmarks_TL = head.preprocessing.normalize(points, clip.reference.points_68x2)
    judged = slice(REFERENCE_FRAME + 1, None)
    fake = paint_landmarks(head, clip, landmarks_TL).frames_THWC[judged]
    return compute_metrics(observe(clip.frames_THWC[judged]), observe(fake)).values


LANDMARK_NOISE = Study(
    name="landmark_noise",
    title="Pictures from noisy landmarks",
    level="deviation of the noise, px of the 128x128 face",
    levels=(0.0, 0.25, 0.5, 1.0, 2.0, 4.0),
    metrics=("psnr", "ssim", "lmd", "lost"),
    compute=add_landmark_noise,
)
