"""The check of LRW's files."""

import os
import time
from pathlib import Path

import pytest

from pipeline.corpora.download import lrw
from pipeline.corpora.download.lrw import check_lrw
from pipeline.runtime.errors import PipelineError

WORDS = ["ABOUT", "HOUSE", "PRICES"]
TRAIN = {"ABOUT": 1000, "HOUSE": 3, "PRICES": 1}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of three words, which is complete by the numbers set here."""
    monkeypatch.setattr(lrw, "WORDS", 3)
    monkeypatch.setattr(lrw, "CLIPS", {"train": 1004, "val": 150, "test": 150})
    one = tmp_path / "clip"
    one.write_bytes(b"x")
    root = tmp_path / "lipread_mp4"
    for word in WORDS:
        for split, count in {"train": TRAIN[word], "val": 50, "test": 50}.items():
            (folder := root / word / split).mkdir(parents=True)
            for number in range(1, count + 1):
                os.link(one, folder / f"{word}_{number:05d}.mp4")
            (folder / f"{word}_00001.txt").touch()
            (folder / f"._{word}_00001.mp4").touch()
    (root / ".DS_Store").touch()
    return root


def test_a_complete_corpus(tree: Path) -> None:
    assert check_lrw(tree) == [
        "3 words",
        "1,004 clips of 1,004 in train",
        "150 clips of 150 in val",
        "150 clips of 150 in test",
    ]


def faults(root: Path) -> list[str]:
    with pytest.raises(PipelineError) as caught:
        check_lrw(root)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{root} is not the whole of LRW:"
    assert "https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html" in str(caught.value)
    return [line.strip() for line in lines[1 : lines.index("It can be used as it is.")]]


def test_missing_files_are_reported(tree: Path) -> None:
    for number in range(1, 6):
        (tree / f"HOUSE/val/HOUSE_{number:05d}.mp4").unlink()
    (tree / "PRICES/train/PRICES_00001.mp4").unlink()
    assert faults(tree) == [
        "3 words of 3",
        "1,003 clips of 1,004 in train",
        "145 clips of 150 in val",
        "150 clips of 150 in test",
        "1 words without 50 clips in val: HOUSE has 45",
        "1 words without 1 to 1000 clips in train: PRICES has 0",
    ]


def test_empty_and_unknown_files_are_reported(tree: Path) -> None:
    for number in range(1, 5):
        (tree / f"ABOUT/test/ABOUT_{number:05d}.mp4").unlink()
        (tree / f"ABOUT/test/ABOUT_{number:05d}.mp4").touch()
    (tree / "HOUSE/train/HOUSE_00001.mp4").rename(tree / "HOUSE/train/ABOUT_00001.mp4")
    told = faults(tree)
    assert told[1] == "1,004 clips of 1,004 in train"
    found = {line.split(": ")[0]: line.split(": ")[1] for line in told[4:]}
    assert found["1 clips not named WORD_NNNNN.mp4"] == "HOUSE/train/ABOUT_00001.mp4"
    assert found["4 empty clips"].count("ABOUT/test/ABOUT_0000") == 3
    assert found["4 empty clips"].endswith(", ...")


def test_too_many_clips_and_a_missing_folder(tree: Path) -> None:
    for one in (tree / "PRICES/val").iterdir():
        one.unlink()
    (tree / "PRICES/val").rmdir()
    (tree / "ABOUT/train/ABOUT_01001.mp4").write_bytes(b"x")
    assert faults(tree)[4:] == [
        "1 words without 1 to 1000 clips in train: ABOUT has 1001",
        "1 words without 50 clips in val: PRICES has 0",
    ]


def test_an_incomplete_corpus(corpora: Path) -> None:
    told = faults(corpora / "lrw_like/lipread_mp4")
    assert told[1:4] == ["29 clips of 488,766 in train", "2 clips of 25,000 in val", "2 clips of 25,000 in test"]
    assert not [line for line in told if "empty" in line or "named" in line]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.touch()])
def test_a_missing_corpus_gives_advice(tmp_path: Path, make: object) -> None:
    make(tmp_path / "lrw")  # type: ignore[operator]
    with pytest.raises(PipelineError) as caught:
        check_lrw(tmp_path / "lrw")
    told = str(caught.value)
    assert told.startswith(f"{tmp_path}/lrw does not hold LRW's words.")
    for part in ("lip_reading/lrw1.html", "BBC R&D", "cat lrw-v1-parta* | tar xf -", "atvgnet fetch lrw --to FOLDER"):
        assert part in told


def test_the_time_of_a_clip(tree: Path) -> None:
    began = time.process_time()
    check_lrw(tree)
    took = time.process_time() - began
    assert took / (1004 + 300) * sum((488_766, 25_000, 25_000)) < 30
