"""Errors of AT-net's own prediction, before VG-net paints anything."""

from functools import partial

from torchmetrics import MeanSquaredError

from pipeline.metrics.base import METRICS, FrameMean, MetricEntry
from pipeline.metrics.landmarks import PIXELS, landmark_distance

# fmt: off
METRICS.add(
    MetricEntry("drawn_lmd", "LMD of the drawn landmarks", partial(FrameMean, landmark_distance), "drawn", unit=PIXELS,
        about="LMD of the landmarks that were predicted, before anything is painted."),
    MetricEntry("coefficient_mse", "Squared error of the coefficients", MeanSquaredError, "coefficients", digits=4,
        about="The error that AT-net is trained to lower."),
)
# fmt: on
