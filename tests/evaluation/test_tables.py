"""Means, intervals, groups and differences of tables, and the files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.pictures import metrics_figure
from pipeline.evaluation.results import interval_text, rows_of
from pipeline.evaluation.tables import (
    ClipResult,
    differences,
    headline,
    means,
    overall,
    summarize,
    tabulate,
    write_tables,
)
from pipeline.metrics import METRICS


def rows(clips: int = 12) -> pd.DataFrame:
    """Clips of three speakers, with s1 from training; at_vg has no LMD."""
    draw = np.random.default_rng(0)
    made = []
    for number in range(clips):
        speaker = f"s{1 + number % 3}"
        for method in ("static", "at_vg"):
            values = {name: draw.random() for name in METRICS if (method, name) != ("at_vg", "lmd")}
            seen = "yes" if speaker == "s1" else "no"
            made.append({"id": f"c{number:02}", "speaker": speaker, "seen": seen, "method": method, **values})
    return tabulate(made)


def row_of(table: pd.DataFrame, method: str, group: str, metric: str) -> pd.Series:
    (found,) = (row for _, row in table.iterrows() if list(row[:3]) == [method, group, metric])
    return found


def test_means_are_over_clips_by_group() -> None:
    table = rows()
    found = summarize(table, seed=0)
    assert list(found.columns) == ["method", "group", "metric", "mean", "low", "high", "clips"]
    assert set(found["group"]) == {
        "all",
        "seen",
        "unseen",
        "speaker:s1",
        "speaker:s2",
        "speaker:s3",
    }
    static = table[table["method"] == "static"]
    for group, chosen in (
        ("all", static),
        ("seen", static[static["speaker"] == "s1"]),
        ("unseen", static[static["speaker"] != "s1"]),
        ("speaker:s2", static[static["speaker"] == "s2"]),
    ):
        one = row_of(found, "static", group, "ssim")
        assert one["mean"] == pytest.approx(chosen["ssim"].mean(), abs=1e-6)
        assert one["clips"] == len(chosen)
        assert one["low"] <= one["mean"] <= one["high"]
    assert not len(found[(found["method"] == "at_vg") & (found["metric"] == "lmd")])


def test_groups_of_all_clips_are_left_out() -> None:
    table = rows()
    alone = table[table["speaker"] == "s1"]
    assert set(summarize(alone, 0)["group"]) == {"all"}
    unknown = alone.assign(speaker="", seen="")
    assert set(summarize(unknown, 0)["group"]) == {"all"}


def test_paired_differences_have_narrow_intervals() -> None:
    draw = np.random.default_rng(0)
    made = []
    for number in range(20):
        level = 10 * draw.random()  # clips that are hard for one are hard for the other
        for method, more in (("a", 0.0), ("b", 0.5)):
            made.append(
                {"id": str(number), "speaker": "s", "method": method, "lmd": level + more + 0.1 * draw.random()}
            )
    made[0]["lmd"] = np.nan
    table = tabulate(made)
    found = differences(table, [("b", "a")], seed=0).set_index("metric").loc["lmd"]
    assert found["clips"] == 19
    assert 0.4 < found["low"] < found["mean"] < found["high"] < 0.6
    of_one = row_of(summarize(table, 0), "b", "all", "lmd")
    assert of_one["high"] - of_one["low"] > 10 * (found["high"] - found["low"])


def test_files_have_finite_numbers_and_agree(tmp_path: Path) -> None:
    table = rows()
    results = [ClipResult({"method": "at_vg"}, {"lmd": "no face is found"})] * 12
    info = {"kind": "evaluation", "name": "Zoë"}
    summary = write_tables(tmp_path, table, 0, results, info, [("at_vg", "static")])
    read = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert list(read) == ["at_vg", "static"]
    assert list(read["static"])[:2] == ["lmd", "psnr"]
    assert "lmd" not in read["at_vg"]
    assert read == means(summary) == means(overall(pd.read_csv(tmp_path / "metrics.csv")))
    clips = pd.read_csv(tmp_path / "clips.csv", dtype={"id": str}, keep_default_na=False, na_values=[""])
    assert list(clips.columns) == ["id", "speaker", "seen", "method", *METRICS]
    for method, row in read.items():
        of_method = clips[clips["method"] == method][list(METRICS)].mean().dropna()
        assert of_method.to_dict() == pytest.approx(row, abs=2e-6)
    assert (tmp_path / "absent.csv").read_text() == ("method,metric,reason,clips\nat_vg,lmd,no face is found,12\n")
    assert json.loads((tmp_path / "info.json").read_text()) == info
    assert list(pd.read_csv(tmp_path / "differences.csv")["metric"]) == [name for name in METRICS if name != "lmd"]


def test_the_headline_is_part_of_the_means(tmp_path: Path) -> None:
    """It leaves out metrics and methods without values."""
    summary = write_tables(tmp_path, rows(), 0, short=True)
    short, every = (json.loads((tmp_path / name).read_text()) for name in ("metrics.json", "means.json"))
    assert every == means(summary)
    assert short == {
        "at_vg": {name: every["at_vg"][name] for name in ("psnr", "ssim")},
        "static": {"lmd": every["static"]["lmd"]},
    }
    assert headline({"at_vg": {"lost": 1.0}}) == {}


def test_clips_without_metrics_have_no_means(tmp_path: Path) -> None:
    write_tables(tmp_path, tabulate([{"id": "a", "method": "x", "reason": "unreadable"}]), 0)
    assert (tmp_path / "metrics.json").read_text() == "{}\n"
    assert (tmp_path / "clips.csv").read_text().splitlines()[1].startswith("a,,,x,unreadable,,")


def test_each_metric_has_bars() -> None:
    axes = metrics_figure(overall(summarize(rows(), 0))).axes
    assert sum(one.get_visible() for one in axes) == len(METRICS)


def test_a_single_clip_has_a_mean_only(tmp_path: Path) -> None:
    one = rows(clips=1)
    static = write_tables(tmp_path, one, 0)["static"]
    assert static["lmd"] == pytest.approx(one["lmd"].iloc[0], abs=1e-5)
    assert not {"lmd_low", "lmd_high"} & set(static)
    lmd = next(row for row in rows_of(pd.read_csv(tmp_path / "metrics.csv")) if row.metric == "lmd")
    assert interval_text(lmd) == f"{lmd.mean:.3f}"
    metrics_figure({"static": static})
