from pathlib import Path

import pytest

from pipeline.corpora.alignment import find_alignment, read_alignment
from pipeline.speech.phonemes import Segment


def test_words_have_seconds_and_pauses_no_label(tmp_path: Path) -> None:
    path = tmp_path / "a.align"
    path.write_text("0 12500 sil\n12500 25000 bin\n25000 26000 sp\n26000 50000 blue\n")
    assert read_alignment(path) == (
        Segment("", 0, 0.5),
        Segment("bin", 0.5, 1),
        Segment("", 1, 1.04),
        Segment("blue", 1.04, 2),
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_first_word_is_kept_behind_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.align"
    path.write_text("0 25000 bin\n25000 50000 blue\n", encoding=encoding)
    assert [one.label for one in read_alignment(path)] == ["bin", "blue"]


def test_malformed_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.align"
    too_late = b"0 1" + b"0" * 400 + b" bin\n"
    path.write_bytes(b"\n0 x bin\n0 25000\n# a comment of five words\n" + too_late + b"0 25000 \xe9t\xe9\n")
    assert [one.end for one in read_alignment(path)] == [1]


@pytest.mark.parametrize(
    ("video", "alignment"),
    [
        ("s1/bbaf2n.mpg", "alignments/s1/bbaf2n.align"),
        ("s1/video/mpg_6000/bbaf2n.mpg", "s1/align/bbaf2n.align"),
        ("video/s1/bbaf2n.mp4", "alignments/s1/bbaf2n.align"),
        ("clips/bbaf2n.mp4", "clips/bbaf2n.align"),
    ],
)
def test_an_alignment_is_found_where_grid_has_it(tmp_path: Path, video: str, alignment: str) -> None:
    path = tmp_path / alignment
    path.parent.mkdir(parents=True)
    path.touch()
    assert find_alignment(tmp_path / video) == path
    assert find_alignment((tmp_path / video).with_stem("bbaf3s")) is None


def test_another_speakers_alignment_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "alignments" / "s2" / "bbaf2n.align"
    path.parent.mkdir(parents=True)
    path.touch()
    assert find_alignment(tmp_path / "s1" / "bbaf2n.mpg") is None
