"""An evaluation takes the place of the earlier one alone, whole or not at all."""

from pathlib import Path

import pytest

from pipeline.evaluation.folder import replacing_evaluation
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


def test_what_a_killed_evaluation_left_is_neither_in_the_way_nor_stays(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    (out / f".{'0' * 32}.tmp" / "pictures").mkdir(parents=True)
    evaluate(out, "metrics.json")
    assert [path.name for path in out.iterdir()] == ["metrics.json"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.png").write_text("")
    for out in (tmp_path, tmp_path / "pictures" / "mine.png"):
        with pytest.raises(PipelineError, match="is there, and what is in it is not an evaluation"):
            evaluate(out, "metrics.json")
    with pytest.raises(KeyboardInterrupt):
        evaluate(tmp_path / "new", "fails")
    assert files(tmp_path) == ["pictures/mine.png"]
    assert not (tmp_path / "new").exists()
