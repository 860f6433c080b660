"""A new evaluation replaces the earlier one, and names its files."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.folder import MAX_STEM, file_stems, replacing_evaluation
from pipeline.runtime.errors import PipelineError


def evaluate(out: Path, *names: str) -> None:
    with replacing_evaluation(out) as folder:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
        if "fails" in names:
            raise KeyboardInterrupt


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_no_picture_of_an_earlier_corpus_stays(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    evaluate(out, "metrics.json", "pictures/s1_a.png", "videos/s1_a.mp4")
    (out / "notes.txt").write_text("mine")
    evaluate(out, "metrics.json", "pictures/s2_b.png")
    assert files(out) == ["metrics.json", "notes.txt", "pictures/s2_b.png"]
    with pytest.raises(KeyboardInterrupt):
        evaluate(out, "metrics.json", "pictures/s3_c.png", "fails")
    assert files(out) == ["metrics.json", "notes.txt", "pictures/s2_b.png"]


def test_files_of_a_killed_evaluation_are_removed(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    (out / f".{'0' * 32}.tmp" / "pictures").mkdir(parents=True)
    evaluate(out, "metrics.json")
    assert [path.name for path in out.iterdir()] == ["metrics.json"]


def test_folders_with_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.png").write_text("")
    for out in (tmp_path, tmp_path / "pictures" / "mine.png"):
        with pytest.raises(PipelineError, match="is there, and what is in it is not an evaluation"):
            evaluate(out, "metrics.json")
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path / "new", "fails")
    assert files(tmp_path) == ["pictures/mine.png"]
    assert not (tmp_path / "new").exists()


def test_stems_of_usual_ids() -> None:
    """Ids of the embedded corpus, GRID, LRW and a folder of videos."""
    stems = file_stems(["s1/bbaf2n", "ABOUT/test/ABOUT_00001", "anna/interview#0003"])
    assert list(stems.values()) == ["s1_bbaf2n", "ABOUT_test_ABOUT_00001", "anna_interview_0003"]


def test_stems_of_unusual_ids() -> None:
    ids = ["Müller/a b%20c#0001", "naïve?x=1&y#0", "C:\\film#0", "張三#0002"]
    assert list(file_stems(ids).values()) == ["Muller_a_b_20c_0001", "naive_x_1_y_0", "C__film_0", "___0002"]


def test_ids_never_share_a_stem() -> None:
    """Not even in a file system that ignores case, and whatever other clips there are."""
    pairs = [("a/b", "a_b"), ("Anna#0", "anna#0"), ("müller", "muller"), ("é", "e\u0301"), ("x" * 300, "x" * 301)]
    for pair in pairs:
        first, second = file_stems(pair).values()
        assert first.casefold() != second.casefold()
        assert list(file_stems([*pair, "another"]).values()) == [first, second, "another"]


@settings(max_examples=200)
@given(st.lists(st.text(min_size=1), unique=True, max_size=8))
def test_stems_are_unique_and_portable(ids: list[str]) -> None:
    stems = file_stems([one.encode(errors="replace").decode() for one in ids])
    assert len({stem.casefold() for stem in stems.values()}) == len(stems)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", stem) and len(stem) <= MAX_STEM + 9 for stem in stems.values())
