"""PSNR as it is defined: float RGB at the face's own size, the mean over frames of 10 log10(1 / MSE)."""

from torch import Tensor
from torchmetrics.image import PeakSignalNoiseRatio

from pipeline.evaluation.metrics.base import MetricEntry, register

CAP_DB = 100.0
"""What equal frames have, where the definition says infinity. Frames of 8 bits that differ in one value have 95 dB, so
nothing else reaches it.
"""


class CappedPsnr(PeakSignalNoiseRatio):
    """Of frames in [0, 1]; each frame's value is at most `CAP_DB`."""

    sum_squared_error: list[Tensor]
    total: list[Tensor]

    def __init__(self) -> None:
        super().__init__(data_range=1.0, reduction="none", dim=(1, 2, 3))

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add frames (T, 3, H, W). Pixels that are NaN are left out."""
        squares = (preds - target).square()
        if not squares.isnan().any():
            super().update(preds, target)
            return
        counted = ~squares.isnan()
        known = counted.any(dim=(1, 2, 3))
        self.sum_squared_error.append(squares.nansum(dim=(1, 2, 3))[known])
        self.total.append(counted.sum(dim=(1, 2, 3))[known])

    def compute(self) -> Tensor:
        """In dB."""
        return super().compute().clamp(max=CAP_DB).mean()


register(
    MetricEntry(
        name="psnr",
        title="PSNR",
        unit="dB",
        higher_is_better=True,
        digits=2,
        compares="frames",
        make=CappedPsnr,
        about="How far the pixels differ.",
    )
)
