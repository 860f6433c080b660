"""A score in the terminal."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.evaluation.results import A_FRAGMENT
from pipeline.evaluation.tables import ClipResult, write_tables
from pipeline.reports.score_tables import print_score
from tests.evaluation.small import drawn_clips

SYSTEMS = ("static", "ours", "theirs", "a-system-with-a-very-long-name-that-nobody-types", *(f"s{n}" for n in range(5)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A score of ten methods with a fragment and hidden areas."""
    folder = tmp_path_factory.mktemp("scored")
    clips = drawn_clips(["s1/a", "s1/b", "s2/c"], methods=("ground_truth", *SYSTEMS))
    clips["reason"], clips["note"], clips["aligned"], clips["sound"], clips["shown"] = "", "", "real", "own", 1.0
    clips.loc[(clips["method"] == "ours") & (clips["id"] != "s1/a"), "shown"] = 0.75
    fragment = (clips["method"] == "theirs") & (clips["id"] == "s1/a")
    clips.loc[fragment, "reason"] = f"{A_FRAGMENT}: 1 frames, the real video 25"
    clips.loc[fragment, "shown"] = np.nan
    write_tables(folder, clips, 0, (), {"kind": "score"}, [(later, "ours") for later in SYSTEMS if later != "ours"])
    return folder


@pytest.fixture
def printed(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    print_score(folder)
    return capsys.readouterr().out.splitlines()


def test_tables_fit_80_columns(printed: list[str]) -> None:
    end = next(number for number, line in enumerate(printed) if line.startswith("±"))
    assert max(map(len, printed[:end])) <= 80
    assert end < 100  # ten systems, with their differences
    assert not any("…" in line for line in printed)


def test_first_metrics_come_first_and_references_last(printed: list[str]) -> None:
    assert printed[1].split() == ["lmd", "↓", "opening", "↑", "closed", "↑", "relative_offset"]
    rows = [line.split()[0] for line in printed[3:14]]
    assert rows[:2] == ["ours", "theirs"]
    assert rows[-2:] == ["ground_truth", "static"]


def test_fragments_and_hidden_areas_are_listed_by_system(printed: list[str]) -> None:
    assert "theirs: 1 of 3 clips is a fragment, left out of the means." in printed
    assert [line.split(".")[0] for line in printed if "is not shown" in line] == ["ours: 16"]  # of 0, 25, 25%
    assert any("--fake mismatched=FOLDER" in line for line in printed)


def test_a_control_shows_the_differences_of_all_systems_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = drawn_clips(["a", "b", "c"], methods=("ground_truth", "ours", "theirs", "mismatched"))
    clips["reason"], clips["note"], clips["aligned"], clips["sound"], clips["shown"] = "", "", "real", "own", 1.0
    pairs = [("theirs", "ours"), ("mismatched", "ours"), ("mismatched", "theirs")]
    means = write_tables(tmp_path, clips, 0, (), {"kind": "score"}, pairs)
    print_score(tmp_path)
    printed = capsys.readouterr().out
    table = printed.split("Differences from mismatched\n")[1].splitlines()[2:4]
    for line, system in zip(table, ("ours", "theirs"), strict=True):
        name, difference = line.split()[:2]
        assert name == system
        assert difference.rstrip("*") == f"{means[system]['lmd'] - means['mismatched']['lmd']:+.3f}"
    assert "mismatched is the control" in printed
    assert "have no control" not in printed


def test_absent_metrics_are_listed_by_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without metrics of predicted landmarks, which no video has."""
    clips = drawn_clips(["a", "b", "c"], methods=("ground_truth", "ours", "theirs"))
    clips["reason"], clips["note"], clips["aligned"], clips["sound"], clips["shown"] = "", "", "real", "own", 1.0
    results = []
    for row in clips.to_dict("records"):
        absent = {"drawn_lmd": "no landmarks were predicted", "lpips": "needs weights"}
        absent |= {"opening": "too little to compare"} if row["method"] == "theirs" else {}
        results.append(ClipResult({str(name): value for name, value in row.items()}, absent))
    write_tables(tmp_path, clips, 0, results, {"kind": "score"})
    print_score(tmp_path)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("absent")]
    assert lines == ["absent for all: lpips: needs weights", "absent for theirs: opening: too little to compare"]
