"""LSE-D: how far SyncNet's features of lips and sound are from each other at the best shift."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.syncnet_distance import SOURCE, WEIGHTS, lse_d, of_syncnet

register(
    MetricEntry(
        name="lse_d",
        title="LSE-D",
        unit="distance",
        higher_is_better=False,
        digits=3,
        compares="syncnet",
        make=of_syncnet(lse_d),
        source=SOURCE,
        real=False,
        weights=WEIGHTS,
        about="SyncNet's distance between lips and sound.",
        url="https://arxiv.org/abs/2008.10010",
    )
)
