"""The output of `atvgnet compare`."""

import pytest

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.comparison.paired import BETTER, WORSE, compare_evaluations, verdict_text
from pipeline.evaluation.comparison.revisions import Evaluation
from pipeline.evaluation.results import difference_text, name_of, rows_of
from pipeline.metrics import METRICS
from pipeline.reports.terminal import print_comparison
from tests.evaluation.small import INFO, drawn_clips

IDS = [f"c{number}" for number in range(6)]
BEFORE = drawn_clips(IDS, methods=tuple(BASELINES))


@pytest.fixture(params=[40, 80])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def test_every_difference_is_printed_and_the_system_comes_first(
    columns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """With numbers as wide as in real evaluations: laplacian in the hundreds, PSNR in the tens."""
    models = BEFORE["method"].isin(["at_vg", "vg_gt"])
    before = BEFORE.assign(laplacian=BEFORE["laplacian"] * 400, psnr=BEFORE["psnr"] * 30)
    after = before.copy()
    after.loc[models, list(METRICS)] *= 1.3
    comparison = compare_evaluations(Evaluation("main", before, INFO), Evaluation("the working tree", after, INFO))
    print_comparison(comparison)
    text = capsys.readouterr().out
    assert "…" not in text
    for row in rows_of(comparison.differences):
        assert row.method not in ("at_vg", "vg_gt") or difference_text(row) in text
    first = [text.index(f"\n{name_of(name)}") for name in ("lmd", "opening", "closed", "psnr")]
    assert first == sorted(first)
    assert text.index("at_vg: both networks") < first[0] < text.index("vg_gt: VG-net on real landmarks")
    assert text.index("↑ higher is better") < first[0]
    counts = []
    for method in ("at_vg", "vg_gt"):
        verdicts = [verdict_text(row) for row in rows_of(comparison.differences) if row.method == method]
        counts.append(f"{method}: {verdicts.count(WORSE)} worse, {verdicts.count(BETTER)} better")
        assert WORSE in verdicts
    assert text.splitlines()[-2:] == counts
    assert "No clip differs in any metric: silent, mismatched, static, ground_truth." in text
    tables = [line for line in text.splitlines() if "[" in line or "─" in line]
    assert columns < 80 or max(map(len, tables)) <= 80


def test_a_control_and_a_difference_that_rounds_to_0_have_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    before = drawn_clips(IDS, methods=("silent", "at_vg"))
    after = before.assign(lmd=before["lmd"] - 0.0001, psnr=before["psnr"] - 1)
    comparison = compare_evaluations(Evaluation("old", before, INFO), Evaluation("new", after, INFO))
    shown = {(row.method, row.metric): verdict_text(row) for row in rows_of(comparison.differences)}
    assert [shown["at_vg", name] for name in ("lmd", "psnr", "ssim")] == ["same", WORSE, ""]
    assert shown["silent", "lmd"] == shown["silent", "psnr"] == ""
    print_comparison(comparison)
    assert capsys.readouterr().out.endswith("at_vg: 1 worse, 0 better\n")
