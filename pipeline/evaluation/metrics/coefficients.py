"""AT-net's own error in coefficients: the mean square that it is trained to lower (paper, equation 1)."""

from torchmetrics import MeanSquaredError

from pipeline.evaluation.metrics.base import MetricEntry, register

register(
    MetricEntry(
        name="coefficient_mse",
        title="Squared error of the coefficients",
        unit="",
        higher_is_better=False,
        digits=4,
        compares="coefficients",
        make=MeanSquaredError,
        about="The error that AT-net is trained to lower.",
    )
)
