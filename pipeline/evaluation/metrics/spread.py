"""Whether the mouth moves as much as the real one: how far their openings spread about their means."""

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip
from pipeline.evaluation.metrics.opening import openings


def opening_spread(fake_T68x2: NDArray[np.floating], real_T68x2: NDArray[np.floating]) -> float:
    """The smaller standard deviation of the openings over the larger, min(s_fake / s_real, s_real / s_fake); NaN where
    the real mouth does not move.

    1 where the mouth moves as much as the real one, 0 where it does not move; half as much has 0.5, and so has twice as
    much, since both are wrong.
    """
    fake, real = openings(fake_T68x2, real_T68x2)
    if not len(fake):
        return float("nan")
    smaller, larger = sorted((float(fake.std()), float(real.std())))
    return smaller / larger


register(
    MetricEntry(
        name="spread",
        title="Spread of the mouth opening",
        unit="ratio to the real one, the smaller by the larger",
        higher_is_better=True,
        digits=3,
        compares="shapes",
        make=lambda: OfClip(opening_spread),
        across=True,
        about="Whether the mouth opens as much as the real one; a still mouth has 0.",
    )
)
