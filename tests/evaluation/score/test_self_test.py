from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.score.folders import MIN_CLIPS
from pipeline.evaluation.score.self_test import (
    CHANGES,
    ITSELF,
    SHIFT,
    TOLERANCE,
    RealClip,
    blurred,
    check_metrics,
    dubbed,
    encoded,
    frozen,
    late,
    replaced,
    self_test,
)
from pipeline.metrics import METRICS
from pipeline.reports.score_tables import print_self_test
from pipeline.runtime.errors import PipelineError


def real_clip(seed: int, frames: int = 10) -> RealClip:
    draw = np.random.default_rng(seed)
    pictures = draw.integers(0, 256, (frames, 128, 128, 3), dtype=np.uint8)
    samples = draw.integers(-999, 999, frames * 640, dtype=np.int16)
    return RealClip(str(seed), pictures, samples, draw.integers(0, 5, frames, dtype=np.int8))


def test_each_change_changes_the_named_part() -> None:
    one, other = real_clip(1), real_clip(2, frames=7)
    assert (late(one, other).frames_THWC[SHIFT:] == one.frames_THWC[:-SHIFT]).all()
    assert blurred(one, other).frames_THWC.std() < one.frames_THWC.std() / 2
    still = frozen(one, other).frames_THWC
    assert (still[:, 64:] == one.frames_THWC[0, 64:]).all()
    assert (still[:, :64] == one.frames_THWC[:, :64]).all()
    assert (replaced(one, other).frames_THWC == other.frames_THWC[[0, 1, 2, 3, 4, 5, 6, 0, 1, 2]]).all()
    dub = dubbed(one, other)
    assert dub.frames_THWC is one.frames_THWC
    assert (dub.samples_N[: 7 * 640] == other.samples_N).all()
    assert dub.phonemes_T is not None
    assert other.phonemes_T is not None
    assert (dub.phonemes_T[:7] == other.phonemes_T).all()
    assert len(dub.samples_N) == 640 * len(dub.phonemes_T) == len(one.samples_N)
    again = encoded(replaced(one, blurred(one, other)), other).frames_THWC
    assert again.shape == one.frames_THWC.shape
    assert 0 < np.abs(again.astype(int) - blurred(one, other).frames_THWC).mean() < 10


def rows(**changed: float) -> pd.DataFrame:
    """Eight clips, unchanged and `late`; the metrics ``changed`` differ by about these amounts."""
    draw = np.random.default_rng(0)
    made = []
    for clip in range(8):
        values = {name: float(draw.normal(1, 0.1)) for name in METRICS}
        after = {name: value + changed.get(name, 0.0) * draw.uniform(0.9, 1.1) for name, value in values.items()}
        made += [{"id": str(clip), "change": ITSELF, **values}, {"id": str(clip), "change": "late", **after}]
    return pd.DataFrame(made)


WORSE = {name: -0.5 if METRICS[name].higher_is_better else 0.5 for name in CHANGES["late"].worse}


def test_expected_changes_hold() -> None:
    table: Any = check_metrics(rows(**WORSE), 0)
    assert table["holds"].all()
    assert set(table["metric"]) == set(METRICS)
    assert (table.set_index("metric")["difference"][list(WORSE)] > 0).all()


@pytest.mark.parametrize(
    ("metric", "change"),
    [("lmd", 0.0), ("lmd", -0.5), ("psnr", 0.5), ("cpbd", -0.3), ("cpbd", 0.3), ("csim", -0.3)],
    ids=str,
)
def test_a_failing_metric_is_listed(metric: str, change: float, capsys: pytest.CaptureFixture[str]) -> None:
    table = check_metrics(rows(**{**WORSE, metric: change}), 0)
    assert list(table[~table["holds"]]["metric"]) == [metric]
    print_self_test(table)
    printed = capsys.readouterr().out
    assert all(len(line) <= 80 for line in printed.split("\n  late ")[0].splitlines())
    assert "…" not in printed
    assert f"late: {metric} must be {'worse' if metric in WORSE else 'same'}" in printed
    assert f"{len(table) - 1} of {len(table)} hold." in printed


def test_a_delay_is_found_though_the_real_lips_are_early() -> None:
    early = rows(**WORSE)
    late_clips = early["change"] == "late"
    early["av_offset"] = np.where(late_clips, -4.0 + SHIFT, -4.0)
    table: Any = check_metrics(early, 0).set_index("metric")
    assert table.loc["av_offset", "holds"]
    assert table.loc["av_offset", "difference"] == SHIFT


def test_a_change_below_the_tolerance_counts_as_none() -> None:
    for share, holds in ((0.5, True), (1.5, False)):
        changed = rows(**WORSE)
        changed["csim"] = np.where(changed["change"] == "late", 0.98 * (1 - share * TOLERANCE), 0.98)
        table: Any = check_metrics(changed, 0).set_index("metric")
        assert table.loc["csim", "holds"] == holds


@pytest.mark.slow
def test_metrics_pass_on_real_clips(corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for speaker in ("s1", "s31"):
        (tmp_path / speaker).mkdir()
        for path in sorted((corpora / "grid" / speaker).glob("*.mpg"))[: MIN_CLIPS // 2]:
            (tmp_path / speaker / path.name).symlink_to(path)
    (tmp_path / "alignments").symlink_to(corpora / "grid" / "alignments")
    table = self_test(tmp_path, seed=0, jobs=1, clips=MIN_CLIPS)
    print_self_test(table)
    assert set(table["change"]) == CHANGES.keys() - {ITSELF}
    by: Any = table.set_index(["change", "metric"])
    assert by["holds"].all(), capsys.readouterr().out
    itself: Any = table.drop_duplicates("metric").set_index("metric")["before"]
    assert itself[["psnr", "ssim", "lmd", "f_lmd", "lost", "opening", "spread"]].to_list() == [100, 1, 0, 0, 0, 1, 1]
    assert by.loc[("late", "av_offset"), "value"] - itself["av_offset"] == pytest.approx(SHIFT, abs=1)
    assert by.loc[("encoded", "lmd"), "value"] < by.loc[("late", "lmd"), "value"] < by.loc[("replaced", "lmd"), "value"]


def test_too_few_videos_are_refused(corpora: Path, tmp_path: Path) -> None:
    real = sorted((corpora / "grid" / "s1").glob("*.mpg"))[: MIN_CLIPS - 1]
    for path in real:
        (tmp_path / path.name).symlink_to(path)
    with pytest.raises(PipelineError, match=r"needs 8 videos or more, and .* holds 7"):
        self_test(tmp_path, 0, 1)
    for path in real:
        (tmp_path / path.name).unlink()
    for number in range(MIN_CLIPS):
        (tmp_path / f"{number}.mp4").write_bytes(b"none")
    with pytest.raises(PipelineError, match=r"0 of 8 videos in .* show a face; the self-test needs 8"):
        self_test(tmp_path, 0, 1)
