"""The methods that an evaluation compares.

`BASELINES` holds them in the order in which tables and reports show them. To add one, write a module that calls
`BASELINES.add`, and import it here (docs/extending.md).
"""

# ruff: noqa: F401
# isort: off
import pipeline.evaluation.baselines.base
# isort: on

from pipeline.evaluation.baselines.base import AT_VG, BASELINES, GROUND_TRUTH, MISMATCHED, STATIC, VG_GT

__all__ = ["AT_VG", "BASELINES", "GROUND_TRUTH", "MISMATCHED", "STATIC", "VG_GT"]
