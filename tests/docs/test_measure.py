"""`python -m docs.measure` writes the means and intervals that the evaluation's own tables have."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from docs import measure, tables
from pipeline.evaluation.tables import INTERVALS, tabulate, write_tables

METRICS = ("lmd", "psnr", "ssim", "csim", "f_lmd", "opening", "spread", "closed")


@pytest.fixture
def evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An evaluation of two clips each of six speakers and one of s5; tables of the docs go to a folder of the test."""
    draw = np.random.default_rng(0)
    speakers = ["s1", "s31", "s2", "s3", "s4", "s20"] * 2 + ["s5"]
    rows = [
        {"id": f"{speaker}/{number}", "speaker": speaker, "seen": "", "method": method, "lost": 0.0}
        | dict(zip(METRICS, draw.uniform(0.5, 1.5, len(METRICS)), strict=True))
        for number, speaker in enumerate(speakers)
        for method in measure.LIPS
    ]
    write_tables(tmp_path / "evaluation", tabulate(rows), 3, info={"seed": 3, "made": {"commit": "0123456789"}})
    (tmp_path / "measured").mkdir()
    for name in ("grid", "sources"):
        (tmp_path / f"measured/{name}.csv").write_bytes((tables.MEASURED / f"{name}.csv").read_bytes())
    monkeypatch.setattr(tables, "MEASURED", tmp_path / "measured")
    shutil.copytree(measure.BUNDLE, tmp_path / "bundle")
    monkeypatch.setattr(measure, "BUNDLE", tmp_path / "bundle")
    return tmp_path / "evaluation"


def own(evaluation: Path, group: str, method: str, metric: str) -> list[float]:
    """Mean and interval by the evaluation itself."""
    table = pd.read_csv(evaluation / INTERVALS)
    (row,) = table.loc[
        (table["group"] == group) & (table["method"] == method) & (table["metric"] == metric)
    ].itertuples()
    return [float(str(one)) for one in (row.mean, row.low, row.high)]


def shown(name: str, row: int, column: str) -> list[float]:
    header, *body = tables.read(name)
    return [
        float(one) for one in body[row][header.index(column)].replace("[", "").replace("]", "").replace(",", "").split()
    ]


def test_the_numbers_of_a_speaker_and_of_all_clips_are_the_tools(evaluation: Path) -> None:
    measure.shipped(evaluation)
    measure.embedded(evaluation)
    for name, row, column, asked in (
        ("real_people", 2, "LMD, px", ("speaker:s1", "at_vg", "lmd")),
        ("real_people_lips", 4, "p, b, m with closed lips", ("speaker:s1", "mismatched", "closed")),
        ("embedded", 1, "face LMD, px", ("all", "vg_gt", "f_lmd")),
    ):
        assert shown(name, row, column) == pytest.approx(own(evaluation, *asked), abs=6e-4), name
    assert tables.read("embedded")[1][-1] == "0"


def test_the_others_are_all_clips_of_speakers_that_training_does_not_show(evaluation: Path) -> None:
    measure.shipped(evaluation)
    clips = pd.read_csv(evaluation / "clips.csv")
    others = clips[~clips["speaker"].isin(["s1", "s4"]) & (clips["method"] == "vg_gt")]
    mean, low, high = shown("real_people", 4, "SSIM")
    assert mean == pytest.approx(others["ssim"].mean(), abs=6e-4)
    assert low < mean < high
    card = json.loads((measure.BUNDLE / "bundle.json").read_text())["metrics"]["vg_gt, unseen speakers"]
    assert [card["ssim"], card["ssim_low"], card["ssim_high"]] == pytest.approx([mean, low, high], abs=6e-4)


def test_the_overview_and_the_sources_follow(evaluation: Path) -> None:
    measure.embedded(evaluation)
    measure.main("shipped", evaluation)
    _, seen, unseen, embedded, _ = tables.read("overview")
    assert seen[2] == tables.read("real_people")[3][2]
    assert unseen[3] == tables.read("real_people")[4][2]
    assert embedded[4] == tables.read("embedded")[3][2].split(" ")[0]
    changed = {row[0] for row in tables.read("sources") if row[2] == "01234567" and row[4] == tables.WRITTEN}
    assert changed == {"real_people", "real_people_lips"}
