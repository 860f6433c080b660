"""The metrics of generated talking heads.

`METRICS` holds them in the order in which tables and reports show them: the order of the imports below. To add a
metric, write a module that calls `METRICS.add`, and import it at the end of the list (docs/extending.md).
"""

# isort: off
# ruff: noqa: F401
import pipeline.metrics.pixels
import pipeline.metrics.lpips
import pipeline.metrics.sharpness
import pipeline.metrics.identity
import pipeline.metrics.landmarks
import pipeline.metrics.lips
import pipeline.metrics.offset
import pipeline.metrics.syncnet
import pipeline.metrics.prediction
import pipeline.metrics.paper
# isort: on

from pipeline.metrics.base import DECIDING, FIRST, METRICS

__all__ = ["DECIDING", "FIRST", "METRICS"]
