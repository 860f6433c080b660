"""SSIM (Wang et al. 2004: Gaussian window, sigma 1.5) on float RGB at the face's own size."""

from torchmetrics import Metric
from torchmetrics.image import StructuralSimilarityIndexMeasure

from pipeline.evaluation.metrics.base import MetricEntry, register


def ssim() -> Metric:
    """Of frames in [0, 1]; 1 for equal frames."""
    return StructuralSimilarityIndexMeasure(data_range=1.0)


register(MetricEntry(name="ssim", title="SSIM", unit="", higher_is_better=True, digits=3, compares="frames", make=ssim))
