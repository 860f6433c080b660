"""The output of `atvgnet compare`."""

import pytest

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.comparison.paired import compare_evaluations
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
    assert "No clip differs in any metric: silent, mismatched, static, ground_truth." in text
    tables = [line for line in text.splitlines() if "[" in line or "─" in line]
    assert columns < 80 or max(map(len, tables)) <= 80
