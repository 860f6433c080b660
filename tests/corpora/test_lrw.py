"""LRW's layout and its own split."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.config.params import Params
from pipeline.corpora.base import Clip
from pipeline.corpora.lrw import LrwParams
from pipeline.corpora.registry import open_corpus
from pipeline.runtime.errors import PipelineError


def clips(root: Path, **lrw: object) -> list[Clip]:
    params = Params(corpus="lrw", corpora={"lrw": asdict(LrwParams(root=str(root), **lrw))})  # type: ignore[arg-type]
    return open_corpus(params, Path("/nowhere")).clips()


def make(root: Path, words: int, train: int, val: int, test: int) -> Path:
    for word in range(words):
        for split, count in (("train", train), ("val", val), ("test", test)):
            folder = root / f"lipread_mp4/WORD{word}/{split}"
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"WORD{word}_{number:05d}.mp4").touch()
                (folder / f"WORD{word}_{number:05d}.txt").touch()
    return root


def test_a_real_tree(corpora: Path) -> None:
    found = clips(corpora / "lrw_like")
    assert len(found) == 33
    assert found == clips(corpora / "lrw_like/lipread_mp4")
    assert Counter(clip.split for clip in found) == {"train": 29, "val": 2, "test": 2}
    one = found[0]
    assert (one.id, one.text, one.speaker) == ("ABOUT/train/ABOUT_00001", "ABOUT", "")
    assert one.path == corpora / "lrw_like/lipread_mp4/ABOUT/train/ABOUT_00001.mp4"
    for clip in found:
        assert clip.path.is_file()
        assert clip.split == clip.path.parent.name


def test_numbers_may_repeat_in_other_splits(tmp_path: Path) -> None:
    found = clips(make(tmp_path, 2, 3, 3, 3))
    assert len({clip.id for clip in found}) == 18


def test_filters(tmp_path: Path) -> None:
    make(tmp_path, 5, 20, 2, 2)
    assert {clip.text for clip in clips(tmp_path, words=("WORD1", "WORD3"))} == {"WORD1", "WORD3"}
    drawn = clips(tmp_path, max_clips=24)
    assert Counter(clip.split for clip in drawn) == {"train": 20, "val": 2, "test": 2}
    assert set(Counter(clip.text for clip in drawn if clip.split == "train").values()) == {4}


@pytest.mark.parametrize(
    ("counts", "lrw", "message"),
    [
        (None, {}, r"corpora\.lrw\.root: the folder .* does not exist\. Unpack LRW there"),
        ((0, 0, 0, 0), {}, r"corpora\.lrw\.root: no clip such as ABOUT/train/ABOUT_00001\.mp4 in "),
        (
            (2, 3, 1, 1),
            {"words": ("about",)},
            r"corpora\.lrw\.words: no folder about in .* the folders WORD0, WORD1; .*\. Name some",
        ),
        ((2, 3, 0, 1), {}, r"corpora\.lrw: no clip in val\. Take more words"),
        ((2, 3, 1, 1), {"max_clips": 2}, r"corpora\.lrw\.max_clips = 2 leaves no clip for train"),
    ],
)
def test_errors_name_the_key(
    tmp_path: Path, counts: tuple[int, int, int, int] | None, lrw: dict[str, object], message: str
) -> None:
    if counts:
        make(tmp_path, *counts)
        (tmp_path / "lipread_mp4").mkdir(exist_ok=True)
    with pytest.raises(PipelineError, match=message):
        clips(tmp_path if counts else tmp_path / "none", **lrw)


@pytest.mark.parametrize("below", ["lipread_mp4", "LIPREAD_MP4", "lrw-v1/lipread_mp4", "a/b/Lipread_mp4", "", "words"])
def test_the_words_are_found_in_subfolders(tmp_path: Path, below: str) -> None:
    usual = make(tmp_path / "usual", 2, 3, 1, 1)
    (tmp_path / "odd" / below).parent.mkdir(parents=True, exist_ok=True)
    (usual / "lipread_mp4").rename(tmp_path / "odd" / below) if below else usual.joinpath("lipread_mp4").rename(
        tmp_path / "odd"
    )
    assert Counter(clip.split for clip in clips(tmp_path / "odd")) == {"train": 6, "val": 2, "test": 2}


def test_capitals_and_containers_do_not_matter(tmp_path: Path) -> None:
    for name in ("TRAIN/A_1.MP4", "val/A_2.avi", "Test/A_3.mkv", "Test/A_3.txt", "Test/._A_3.mkv"):
        (tmp_path / "lipread_mp4/about" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lipread_mp4/about" / name).touch()
    found = clips(tmp_path, words=("ABOUT",))
    assert {clip.id: clip.path.name for clip in found} == {
        "about/train/A_1": "A_1.MP4",
        "about/val/A_2": "A_2.avi",
        "about/test/A_3": "A_3.mkv",
    }


def test_the_folder_of_one_word(tmp_path: Path) -> None:
    make(tmp_path, 1, 3, 1, 1)
    with pytest.raises(PipelineError, match=r"folder of one word: set corpora\.lrw\.root to .*/lipread_mp4\.$"):
        clips(tmp_path / "lipread_mp4/WORD0")


def test_the_message_describes_the_contents(tmp_path: Path) -> None:
    (tmp_path / "lrw-v1-partaa").touch()
    (tmp_path / "docs").mkdir()
    with pytest.raises(PipelineError, match=r"which holds the folder docs; 1 without suffix\. Unpack LRW there"):
        clips(tmp_path)
