"""The short form of a report."""

import json
from pathlib import Path

from pipeline.evaluation.comparison.paired import compare
from pipeline.evaluation.comparison.revisions import Evaluation
from pipeline.evaluation.registry import METRICS
from pipeline.evaluation.report import read_results
from pipeline.evaluation.report.markdown import markdown
from tests.evaluation.small import INFO, drawn_clips, write_evaluation


def cells(line: str) -> list[str]:
    return [one.strip() for one in line.strip("|").split("|")]


def test_it_has_the_means_and_the_change(tmp_path: Path) -> None:
    clips = drawn_clips([f"c{number}" for number in range(12)])
    write_evaluation(tmp_path, clips)
    earlier = clips.copy()
    ours = earlier["method"] == "at_vg"
    earlier.loc[ours, "lmd"] += 0.25  # now lower by that: better
    earlier.loc[ours, "ssim"] += 0.5  # now lower by that: worse
    comparison = compare(Evaluation("main", earlier, INFO), Evaluation("here", clips, INFO))
    text = markdown(read_results(tmp_path), comparison)
    first, second = (part.splitlines() for part in text.split("### Less `main`"))
    means = json.loads((tmp_path / "metrics.json").read_text())
    assert first[0] == "### Evaluation of 12 clips"
    head = cells(first[4])
    assert head == ["metric", "static", "vg_gt", "at_vg"]
    for line in (line for line in first[6:] if line):
        name, *values = cells(line)
        (entry,) = (one for one in METRICS.values() if name[:-2] == one.title)
        for method, value in zip(head[1:], values, strict=True):
            assert value.split(" [")[0] == f"{means[method][entry.name]:.{entry.digits}f}"
    same = "+0.000 [+0.000, +0.000]"
    assert f"| LMD ↓ | {same} | {same} | **-0.250 [-0.250, -0.250] better** |" in second
    assert any(line.startswith("| SSIM ↑ ") and "-0.500 [-0.500, -0.500] worse**" in line for line in second)


def test_a_name_with_a_line_in_it_stays_in_its_cell(tmp_path: Path) -> None:
    clips = drawn_clips(["a", "b"]).replace({"method": {"at_vg": "a|b"}})
    write_evaluation(tmp_path, clips[clips["method"] != "a|b"])
    from pipeline.evaluation.tables import write_tables

    write_tables(tmp_path, clips, 0, (), INFO)
    assert r"| metric | static | vg_gt | a\|b |" in markdown(read_results(tmp_path))
