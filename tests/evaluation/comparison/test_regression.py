"""The gate: worse beyond the interval fails, with what and by how much; all else passes."""

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


def test_worse_says_what_and_by_how_much() -> None:
    worse, others = judged(changed("lmd", 0.25))
    assert worse == ["LMD of at_vg +0.250 [+0.250, +0.250] over 20 clips"]
    assert others == ["LMD of vg_gt +0.000 [+0.000, +0.000] over 20 clips"]


def test_better_equal_or_within_the_interval_passes() -> None:
    noise = np.random.default_rng(0).normal(0.01, 0.3, OURS.sum())
    for after in (CLIPS, changed("lmd", -0.25), changed("lmd", noise), changed("ssim", -0.25)):
        worse, others = judged(after)
        assert not worse
        assert len(others) == 2


def test_other_metrics_decide_when_named() -> None:
    assert judged(changed("ssim", -0.25), "ssim")[0] == ["SSIM of at_vg -0.250 [-0.250, -0.250] over 20 clips"]
    assert judged(changed("ssim", 0.25), "ssim")[0] == []


def test_a_model_that_shows_no_face_does_not_pass() -> None:
    assert judged(changed("lmd", np.nan))[0] == ["LMD of at_vg is there in main and not in here"]


def test_a_baseline_that_no_model_has_a_part_in_does_not_decide() -> None:
    after = CLIPS.copy()
    after.loc[CLIPS["method"] == "static", "lmd"] += 1
    assert judged(after)[0] == []


def test_one_clip_says_nothing() -> None:
    """It has no interval that a change could lie beyond."""
    one = CLIPS["id"] == "c00"
    comparison = compare_evaluations(
        Evaluation("main", CLIPS[one], INFO), Evaluation("here", changed("lmd", 0.25)[one], INFO)
    )
    assert find_regressions(comparison, ["lmd"]) == ([], [])
    assert set(comparison.differences["verdict"]) == {UNCLEAR}
