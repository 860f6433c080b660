"""THEval's lip dynamics: how much the mouth changes its shape."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.lip_sync import SOURCE
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.landmarks.mouth import eye_distance
from pipeline.landmarks.points import MOUTH

_FIRST, _SECOND = np.triu_indices(MOUTH.stop - MOUTH.start, 1)


def lip_dynamics(points_T68x2: NDArray[np.floating]) -> float:
    """The standard deviation over time of the distance of two of the mouth's 20 points, the mean over their 190 pairs,
    in percent of the distance of the eyes. NaN for fewer than two frames with a face.
    """
    found = points_T68x2[~np.isnan(points_T68x2).any(axis=(1, 2))].astype(np.float64)
    if len(found) < 2:
        return float("nan")
    mouth = found[:, MOUTH] / eye_distance(found)[:, None, None]
    distance_TP = np.linalg.norm(mouth[:, _FIRST] - mouth[:, _SECOND], axis=2)
    return float(100 * distance_TP.std(axis=0).mean())


register(
    MetricEntry(
        name="lip_dynamics",
        title="Lip dynamics",
        unit="% of the distance of the eyes",
        higher_is_better=False,
        digits=2,
        compares="shapes",
        make=lambda: OfClip(lip_dynamics),
        source=SOURCE,
        real=False,
        nearest="the real clip",
        about="How much the mouth changes its shape.",
    )
)
