"""SyncNet's offset: by how many frames the lips come after the sound."""

from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.syncnet_distance import SOURCE, WEIGHTS, of_syncnet, syncnet_offset

register(
    MetricEntry(
        name="syncnet_offset",
        title="SyncNet's offset",
        unit="frames the lips are late",
        higher_is_better=False,
        digits=2,
        compares="syncnet",
        make=of_syncnet(syncnet_offset),
        source=SOURCE,
        real=False,
        weights=WEIGHTS,
        nearest="0",
        about="By how many frames the lips come after the sound, by SyncNet.",
    )
)
