"""How the pictures bear landmarks that are not exact: VG-net on noisy real ones (as Chen et al., CVPR 2019)."""

from collections.abc import Mapping

import numpy as np

from pipeline.evaluation.baselines.base import REFERENCE_FRAME, paint_landmarks
from pipeline.evaluation.studies.base import Material, Study, register
from pipeline.faces.crop import SIZE
from pipeline.inference.talking_head import TalkingHead
from pipeline.metrics.compute import compute_metrics
from pipeline.metrics.observe import observe

METRICS = ("psnr", "ssim", "lmd", "lost")


def measure(head: TalkingHead, material: Material, deviation: float) -> Mapping[str, float]:
    """Gaussian noise, each frame's and point's own, of ``deviation`` pixels of the 128x128 face in x and in y."""
    clip = material.clip
    noise = np.random.default_rng(material.seed).normal(size=clip.points_T68x2.shape)
    scale = deviation * clip.frames_THWC.shape[1] / SIZE
    points = clip.points_T68x2 + (scale * noise).astype(np.float32)
    landmarks_TL = head.preprocessing.normalize(points, clip.reference.points_68x2)
    judged = slice(REFERENCE_FRAME + 1, None)
    fake = paint_landmarks(head, clip, landmarks_TL).frames_THWC[judged]
    values = compute_metrics(observe(clip.frames_THWC[judged]), observe(fake)).values
    return {name: values[name] for name in METRICS if name in values}


register(
    Study(
        name="landmark_noise",
        title="Pictures from noisy landmarks",
        level="deviation of the noise, px of the 128x128 face",
        levels=(0.0, 0.25, 0.5, 1.0, 2.0, 4.0),
        measure=measure,
        metrics=METRICS,
    )
)
