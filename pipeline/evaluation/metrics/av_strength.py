"""Strength of the audio-visual offset: how much better lips and sound go together there than elsewhere."""

from pipeline.evaluation.metrics.av_offset import av_strength
from pipeline.evaluation.metrics.base import MetricEntry, register
from pipeline.evaluation.metrics.of_clip import OfClip

register(
    MetricEntry(
        name="av_strength",
        title="Strength of the audio-visual offset",
        unit="correlation",
        higher_is_better=True,
        digits=3,
        compares="loudness",
        make=lambda: OfClip(av_strength),
        real=False,
        about="How clearly lips and sound go together at that offset.",
    )
)
