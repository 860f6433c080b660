"""`python -m docs.measure` writes the means and intervals of the evaluation's own tables."""

import json
import re
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
    """An evaluation of two clips each of six speakers and one clip of s5. The docs' tables go to a temporary folder."""
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


def mean_and_interval(evaluation: Path, group: str, method: str, metric: str) -> list[float]:
    """Mean, low and high in the evaluation's table."""
    table = pd.read_csv(evaluation / INTERVALS)
    (row,) = table.loc[
        (table["group"] == group) & (table["method"] == method) & (table["metric"] == metric)
    ].itertuples()
    return [float(str(value)) for value in (row.mean, row.low, row.high)]


def written(name: str, row: int, column: str) -> list[float]:
    """Mean, low and high in the docs' table."""
    header, *body = tables.read(name)
    cell = body[row][header.index(column)]
    return [float(number) for number in re.sub(r"[\[\],]", "", cell).split()]


def test_numbers_of_a_speaker_and_of_all_clips_equal_the_evaluations(evaluation: Path) -> None:
    measure.shipped(evaluation)
    measure.embedded(evaluation)
    for name, row, column, key in (
        ("real_people", 2, "LMD, px", ("speaker:s1", "at_vg", "lmd")),
        ("real_people_lips", 4, "p, b, m with closed lips", ("speaker:s1", "mismatched", "closed")),
        ("embedded", 1, "face LMD, px", ("all", "vg_gt", "f_lmd")),
    ):
        assert written(name, row, column) == pytest.approx(mean_and_interval(evaluation, *key), abs=6e-4), name
    assert tables.read("embedded")[1][-1] == "0"


def test_unseen_speakers_are_all_without_training_clips(evaluation: Path) -> None:
    measure.shipped(evaluation)
    clips = pd.read_csv(evaluation / "clips.csv")
    unseen = clips[~clips["speaker"].isin(["s1", "s4"]) & (clips["method"] == "vg_gt")]
    mean, low, high = written("real_people", 4, "SSIM")
    assert mean == pytest.approx(unseen["ssim"].mean(), abs=6e-4)
    assert low < mean < high
    card = json.loads((measure.BUNDLE / "bundle.json").read_text())["metrics"]["vg_gt, unseen speakers"]
    assert [card["ssim"], card["ssim_low"], card["ssim_high"]] == pytest.approx([mean, low, high], abs=6e-4)


def test_the_overview_and_the_sources_are_updated(evaluation: Path) -> None:
    measure.embedded(evaluation)
    measure.main("shipped", evaluation)
    _, seen, unseen, embedded, _ = tables.read("overview")
    assert seen[2] == tables.read("real_people")[3][2]
    assert unseen[3] == tables.read("real_people")[4][2]
    assert embedded[4] == tables.read("embedded")[3][2].split(" ")[0]
    changed = {row[0] for row in tables.read("sources") if row[2] == "01234567" and row[4] == tables.WRITTEN}
    assert changed == {"real_people", "real_people_lips"}
