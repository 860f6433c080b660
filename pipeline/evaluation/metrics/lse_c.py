"""LSE-C: how much nearer SyncNet's features of lips and sound are at the best shift than at others."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.syncnet_distance import SOURCE, WEIGHTS, lse_c, of_syncnet

register(
    MetricEntry(
        name="lse_c",
        title="LSE-C",
        unit="distance",
        higher_is_better=True,
        digits=3,
        compares="syncnet",
        make=of_syncnet(lse_c),
        source=SOURCE,
        real=False,
        weights=WEIGHTS,
        about="SyncNet's confidence that lips and sound go together.",
        url="https://arxiv.org/abs/2008.10010",
    )
)
