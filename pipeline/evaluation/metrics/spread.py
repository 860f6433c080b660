"""Whether the mouth moves as much as the real one: how far their openings spread about their means."""

from torch import Tensor

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.opening import Openings


class OpeningSpread(Openings):
    """The smaller standard deviation of the openings over the larger: min(s_fake / s_real, s_real / s_fake).

    1 where the mouth moves as much as the real one, 0 where it does not move; half as much has 0.5, and so has twice as
    much, since both are wrong.
    """

    def compare(self, fake_T: Tensor, real_T: Tensor) -> Tensor:
        """0 to 1."""
        fake, real = fake_T.std(correction=0), real_T.std(correction=0)
        return fake.minimum(real) / fake.maximum(real)


register(
    MetricEntry(
        name="spread",
        title="Spread of the mouth opening",
        unit="ratio to the real one, the smaller by the larger",
        higher_is_better=True,
        digits=3,
        compares="landmarks",
        make=OpeningSpread,
    )
)
