"""PSNR as it is defined: float RGB at the face's own size, the mean over frames of 10 log10(1 / MSE)."""

from torchmetrics import Metric
from torchmetrics.image import PeakSignalNoiseRatio

from pipeline.evaluation.metrics.base import MetricEntry, register


def psnr() -> Metric:
    """Of frames in [0, 1]; infinite for equal frames."""
    return PeakSignalNoiseRatio(data_range=1.0, reduction="elementwise_mean", dim=(1, 2, 3))


register(
    MetricEntry(name="psnr", title="PSNR", unit="dB", higher_is_better=True, digits=2, compares="frames", make=psnr)
)
