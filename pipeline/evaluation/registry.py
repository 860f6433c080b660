"""The registries of metrics and baselines: importing this module fills them.

One of your own is a module that calls `register`, and a line here (docs/extending.md). Reports show them in this order.
"""

# isort: off
import pipeline.evaluation.metrics.psnr
import pipeline.evaluation.metrics.ssim
import pipeline.evaluation.metrics.lpips
import pipeline.evaluation.metrics.cpbd
import pipeline.evaluation.metrics.laplacian
import pipeline.evaluation.metrics.csim
import pipeline.evaluation.metrics.lmd
import pipeline.evaluation.metrics.lmd_eyes
import pipeline.evaluation.metrics.f_lmd
import pipeline.evaluation.metrics.f_lmd_eyes
import pipeline.evaluation.metrics.lost
import pipeline.evaluation.metrics.jitter
import pipeline.evaluation.metrics.opening
import pipeline.evaluation.metrics.spread
import pipeline.evaluation.metrics.closed
import pipeline.evaluation.metrics.lip_sync
import pipeline.evaluation.metrics.silent_stability
import pipeline.evaluation.metrics.lip_dynamics
import pipeline.evaluation.metrics.relative_offset
import pipeline.evaluation.metrics.av_offset
import pipeline.evaluation.metrics.av_strength
import pipeline.evaluation.metrics.lse_c
import pipeline.evaluation.metrics.lse_d
import pipeline.evaluation.metrics.syncnet_offset
import pipeline.evaluation.metrics.drawn_lmd
import pipeline.evaluation.metrics.coefficients
import pipeline.evaluation.metrics.paper_psnr
import pipeline.evaluation.metrics.paper_ssim
import pipeline.evaluation.metrics.paper_lmd
import pipeline.evaluation.baselines.ground_truth
import pipeline.evaluation.baselines.static
import pipeline.evaluation.baselines.mismatched
import pipeline.evaluation.baselines.silent
import pipeline.evaluation.baselines.vg_gt
import pipeline.evaluation.baselines.at_vg  # noqa: F401
# isort: on

from pipeline.evaluation.baselines.base import BASELINES
from pipeline.evaluation.metrics.base import METRICS

__all__ = ["BASELINES", "DECIDING", "FIRST", "METRICS"]

DECIDING = "lmd"
"""The metric by which models compete, the lowest being best; it comes first where there is room for one."""

FIRST = (DECIDING, "opening", "closed", "relative_offset")
"""The metrics that reports show first: whether the lips say what is said, and when."""
