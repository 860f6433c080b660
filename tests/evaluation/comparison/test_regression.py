"""The gate fails if a metric is worse beyond its interval, and passes otherwise."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.evaluation.comparison.paired import UNCLEAR, compare_evaluations, find_regressions
from pipeline.evaluation.comparison.revisions import Evaluation
from tests.evaluation.small import INFO, drawn_clips

CLIPS = drawn_clips([f"c{number:02}" for number in range(20)])
OURS = CLIPS["method"] == "at_vg"


def judged(after: pd.DataFrame, *metrics: str) -> tuple[list[str], list[str]]:
    comparison = compare_evaluations(Evaluation("main", CLIPS, INFO), Evaluation("here", after, INFO))
    return find_regressions(comparison, metrics or ("lmd",))


def changed(metric: str, by: float | NDArray[np.float64]) -> pd.DataFrame:
    after = CLIPS.copy()
    after.loc[OURS, metric] = after.loc[OURS, metric].to_numpy() + by
    return after


def test_a_worse_metric_is_listed_with_its_difference() -> None:
    worse, others = judged(changed("lmd", 0.25))
    assert worse == ["lmd of at_vg +0.250 [+0.250, +0.250] over 20 clips"]
    assert others == ["lmd of vg_gt +0.000 [+0.000, +0.000] over 20 clips"]


def test_better_or_unclear_metrics_pass() -> None:
    noise = np.random.default_rng(0).normal(0.01, 0.3, OURS.sum())
    for after in (CLIPS, changed("lmd", -0.25), changed("lmd", noise), changed("ssim", -0.25)):
        worse, others = judged(after)
        assert not worse
        assert len(others) == 2


def test_other_metrics_decide_when_named() -> None:
    assert judged(changed("ssim", -0.25), "ssim")[0] == ["ssim of at_vg -0.250 [-0.250, -0.250] over 20 clips"]
    assert judged(changed("ssim", 0.25), "ssim")[0] == []


def test_a_model_without_a_face_fails() -> None:
    assert judged(changed("lmd", np.nan))[0] == ["lmd of at_vg is there in main and not in here"]


def test_a_baseline_without_a_model_does_not_decide() -> None:
    after = CLIPS.copy()
    after.loc[CLIPS["method"] == "static", "lmd"] += 1
    assert judged(after)[0] == []


def test_a_single_clip_is_not_judged() -> None:
    """A single clip has no interval."""
    one = CLIPS["id"] == "c00"
    comparison = compare_evaluations(
        Evaluation("main", CLIPS[one], INFO), Evaluation("here", changed("lmd", 0.25)[one], INFO)
    )
    assert find_regressions(comparison, ["lmd"]) == ([], [])
    assert set(comparison.differences["verdict"]) == {UNCLEAR}
