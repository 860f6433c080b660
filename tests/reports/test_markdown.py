"""The report as Markdown."""

import json
from pathlib import Path

from pipeline.evaluation.comparison.paired import compare_evaluations
from pipeline.evaluation.comparison.revisions import Evaluation
from pipeline.evaluation.results import read_results
from pipeline.evaluation.tables import write_tables
from pipeline.metrics import METRICS
from pipeline.reports.markdown import markdown_report
from tests.evaluation.small import INFO, drawn_clips, write_evaluation


def cells(line: str) -> list[str]:
    return [one.strip() for one in line.strip("|").split("|")]


def tables(text: str) -> list[list[list[str]]]:
    """Cells by row and table."""
    parts = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    return [[cells(line) for line in part] for part in parts]


def test_it_has_the_means_and_the_differences(tmp_path: Path) -> None:
    clips = drawn_clips([f"c{number}" for number in range(4)])
    write_evaluation(tmp_path, clips)
    earlier = clips.copy()
    ours = earlier["method"] == "at_vg"
    earlier.loc[ours, "lmd"] += 0.25  # now lower by that: better
    earlier.loc[ours, "ssim"] += 0.5  # now lower by that: worse
    text = markdown_report(
        read_results(tmp_path), compare_evaluations(Evaluation("main", earlier, INFO), Evaluation("here", clips, INFO))
    )
    assert text.startswith("### Evaluation: both networks, from speech alone, 4 clips\n")
    means = json.loads((tmp_path / "metrics.json").read_text())
    short, everything, differences = tables(text)
    assert short[0] == ["metric", "at_vg", "less `main`"]
    assert everything[0] == differences[0] == ["metric", "at_vg", "static", "vg_gt"]
    for table in (short, everything):
        shown = table[0][1:2] if table is short else table[0][1:]
        for (name, *values), entry in zip(table[2:], METRICS.values(), strict=True):
            assert name.rstrip(" ↑↓") == entry.title
            for method, value in zip(shown, values, strict=False):
                assert value.split(" [")[0] == f"{means[method][entry.name]:.{entry.digits}f}"
    by_name, same = {row[0]: row for row in short}, "+0.000 [+0.000, +0.000]"
    assert by_name["LMD ↓"][2] == "**-0.250 [-0.250, -0.250] better**"
    assert by_name["SSIM ↑"][2] == "**-0.500 [-0.500, -0.500] worse**"
    assert ["LMD ↓", "**-0.250 [-0.250, -0.250] better**", same, same] in differences


def test_without_a_baseline_it_has_only_means(tmp_path: Path) -> None:
    write_evaluation(tmp_path, drawn_clips(["a", "b"]))
    short, everything = tables(markdown_report(read_results(tmp_path)))
    assert short[0] == ["metric", "at_vg"]
    assert [row[:2] for row in everything] == short


def test_a_name_with_a_vertical_bar_stays_in_its_cell(tmp_path: Path) -> None:
    write_tables(tmp_path, drawn_clips(["a", "b"]).replace({"method": {"at_vg": "a|b"}}), 0, (), INFO)
    assert r"| metric | a\|b | static | vg_gt |" in markdown_report(read_results(tmp_path))
