"""The clips that show best what a mean does not: the best, the median and the worst one."""

import pandas as pd

from pipeline.evaluation.registry import METRICS


def extremes(clips: pd.DataFrame, method: str, metric: str) -> dict[str, str]:
    """The ids of the clips ``best``, ``median`` and ``worst`` of a method by a metric; of few clips one may be several.

    ``clips`` has a row per clip and method with the columns ``id``, ``method`` and the metric. Of equal clips the
    first is taken; those without a value are left out, and without any the answer is empty.
    """
    values = clips[clips["method"] == method].set_index("id")[metric].dropna()
    ordered = values.sort_values(ascending=not METRICS[metric].higher_is_better, kind="stable").index
    if not len(ordered):
        return {}
    return {"best": ordered[0], "median": ordered[(len(ordered) - 1) // 2], "worst": ordered[-1]}
