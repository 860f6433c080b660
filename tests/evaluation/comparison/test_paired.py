"""Paired differences of two evaluations, against NumPy and against themselves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.comparison.paired import BETTER, UNCLEAR, WORSE, compare_evaluations
from pipeline.evaluation.comparison.revisions import Evaluation
from pipeline.evaluation.results import rows_of
from pipeline.evaluation.tables import differences
from pipeline.metrics import METRICS
from pipeline.runtime.errors import PipelineError
from tests.evaluation.small import INFO, drawn_clips

IDS = [f"c{number:02}" for number in range(15)]


DIRECTED = [name for name, entry in METRICS.items() if not entry.nearest]


def directed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of metrics that have a direction."""
    return table[table["metric"].isin(DIRECTED)]


def evaluation(name: str, clips: pd.DataFrame, **info: object) -> Evaluation:
    return Evaluation(name, clips, {**INFO, **info})


def test_means_and_differences_equal_those_of_numpy() -> None:
    before, after = drawn_clips(IDS, seed=1), drawn_clips(IDS, seed=2)
    found = directed(compare_evaluations(evaluation("a", before), evaluation("b", after)).differences)
    assert len(found) == 3 * len(DIRECTED)
    for row in rows_of(found):
        old, new = (one[one["method"] == row.method][row.metric].to_numpy() for one in (before, after))
        assert row.before == pytest.approx(old.mean())
        assert row.after == pytest.approx(new.mean())
        assert row.mean == pytest.approx((new - old).mean(), abs=1e-6)
        assert row.low < row.mean < row.high
        assert row.clips == len(IDS)


def test_the_interval_is_of_pairs_within_speakers() -> None:
    """Against draws by NumPy, with other random numbers: equal up to chance."""
    before, after = drawn_clips(IDS, seed=1), drawn_clips(IDS, seed=2)
    comparison = compare_evaluations(evaluation("a", before), evaluation("b", after))
    (row,) = (one for one in rows_of(comparison.differences) if (one.method, one.metric) == ("at_vg", "lmd"))
    old, new = (one[one["method"] == "at_vg"] for one in (before, after))
    apart, speakers = new["lmd"].to_numpy() - old["lmd"].to_numpy(), new["speaker"].to_numpy()
    draw = np.random.default_rng(99)
    means = []
    for _ in range(4000):
        places = [draw.choice(np.flatnonzero(speakers == one), (speakers == one).sum()) for one in ("s0", "s1", "s2")]
        means.append(apart[np.concatenate(places)].mean())
    width = row.high - row.low
    assert [row.low, row.high] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.06 * width)


@settings(max_examples=4)
@given(shift=st.floats(-1, 1), seed=st.integers(0, 99))
def test_a_shift_of_all_clips_is_found_with_its_sign(shift: float, seed: int) -> None:
    before = drawn_clips(IDS[:5], seed)
    after = before.assign(lmd=before["lmd"] + shift)
    one, other = evaluation("a", before), evaluation("b", after)
    there, back = (compare_evaluations(*pair).differences for pair in ((one, other), (other, one)))
    assert there["mean"].to_numpy() == pytest.approx(-back["mean"].to_numpy(), abs=1e-9)
    for row in rows_of(there):
        expected = shift if row.metric == "lmd" else 0
        assert [row.mean, row.low, row.high] == pytest.approx([expected] * 3, abs=2e-6)
        if not 0 < abs(expected) < 2e-6:  # which rounds to 0
            assert row.verdict == (UNCLEAR if expected == 0 else WORSE if expected > 0 else BETTER)


@pytest.mark.parametrize(("metric", "verdict"), [("lmd", WORSE), ("ssim", BETTER)])
def test_better_depends_on_the_direction_of_the_metric(metric: str, verdict: str) -> None:
    before = drawn_clips(IDS)
    after = before.assign(**{metric: before[metric] + 0.2})
    found = compare_evaluations(evaluation("a", before), evaluation("b", after)).differences
    assert set(found[found["metric"] == metric]["verdict"]) == {verdict}


def test_metrics_with_a_best_value_compare_distances() -> None:
    """An offset from -3 to 1 frames gets better; a value farther from that of the real clip gets worse."""
    before = drawn_clips(IDS, methods=("ground_truth", "at_vg"))
    after = before.copy()
    ours = before["method"] == "at_vg"
    before.loc[ours, "av_offset"], after.loc[ours, "av_offset"] = -3.0, 1.0
    for clips, distance in ((before, 0.5), (after, 0.75)):
        real = clips[~ours].set_index("id")["lip_dynamics"]
        clips.loc[ours, "lip_dynamics"] = clips.loc[ours, "id"].map(real) + distance
    found = compare_evaluations(evaluation("a", before), evaluation("b", after)).differences
    rows = {row.metric: row for row in rows_of(found[found["method"] == "at_vg"])}
    assert METRICS["av_offset"].nearest == "0"
    assert (rows["av_offset"].before, rows["av_offset"].after, rows["av_offset"].mean) == (3, 1, -2)
    assert rows["av_offset"].verdict == BETTER
    assert METRICS["lip_dynamics"].nearest == "the real clip"
    assert rows["lip_dynamics"].mean == pytest.approx(0.25)
    assert rows["lip_dynamics"].verdict == WORSE
    still = rows_of(found[found["method"] == "ground_truth"])
    assert {row.verdict for row in still} == {UNCLEAR}


def test_notes_list_what_only_one_evaluation_has() -> None:
    before, after = drawn_clips(IDS), drawn_clips(IDS, 1, methods=("static", "at_vg"))
    after = after[after["id"].isin(IDS[2:])]
    after = after.assign(psnr=np.nan)
    after.loc[(after["id"] == IDS[4]) & (after["method"] == "at_vg"), "lmd"] = np.nan
    comparison = compare_evaluations(evaluation("old", before), evaluation("new", after))
    found = comparison.differences.set_index(["method", "metric"])
    assert found.loc[("static", "lmd"), "clips"] == len(IDS) - 2
    assert found.loc[("at_vg", "lmd"), "clips"] == len(IDS) - 3
    assert ("at_vg", "psnr") not in found.index
    notes = "\n".join(comparison.notes)
    assert "2 clips are in old alone and are left out." in notes
    assert "Only old has the methods vg_gt." in notes
    assert "Only old has the metrics psnr." in notes
    assert "lmd of at_vg: 1 clips lack it in one of the two." in notes
    assert "`static` differs too" in notes


def test_equal_evaluations_have_no_notes() -> None:
    clips = drawn_clips(IDS)
    assert compare_evaluations(evaluation("a", clips), evaluation("b", clips)).notes == []


@pytest.mark.parametrize(
    ("clips", "info", "message"),
    [
        (drawn_clips(["x", "y"]), {}, "old and new have no clip in common: they are evaluations of different corpora"),
        (drawn_clips(IDS), {"protocol": "paper"}, r"differ in protocol \(full and paper\)"),
        (drawn_clips(IDS), {"size": 256}, r"differ in size \(128 and 256\)"),
        (drawn_clips(IDS, methods=("ours",)), {}, "old and new have no method in common"),
    ],
)
def test_different_evaluations_are_rejected(clips: pd.DataFrame, info: dict[str, object], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        compare_evaluations(evaluation("old", drawn_clips(IDS)), evaluation("new", clips, **info))


def test_differences_equal_those_of_a_score() -> None:
    before, after = drawn_clips(IDS, 1, ("at_vg",)), drawn_clips(IDS, 2, ("at_vg",))
    both = pd.concat([before.assign(method="a"), after.assign(method="b")])
    expected = directed(differences(both, [("b", "a")], 0))
    found = directed(compare_evaluations(evaluation("a", before), evaluation("b", after)).differences)
    columns = ["mean", "low", "high"]
    assert found[columns].to_numpy() == pytest.approx(expected[columns].to_numpy())
