from pathlib import Path

import pytest

from pipeline.evaluation.score.folders import find_videos
from pipeline.evaluation.score.pairs import Fake, Pair, find_pairs
from pipeline.runtime.errors import PipelineError


def folder(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def by_id(pairs: list[Pair]) -> dict[str, Pair]:
    return {pair.id: pair for pair in pairs}


def test_names_match_with_any_suffix(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", "s1/a.mpg", "s1/b.mpg", "s1/notes.txt", ".hidden/c.mp4")
    ours = folder(tmp_path / "ours", "s1/a.MP4", "s1/b.webm")
    pictures = folder(tmp_path / "pictures", "s1/b.png")
    pairs = find_pairs(real, {"ours": ours}, pictures)
    assert [(pair.id, pair.speaker) for pair in pairs] == [("s1/a", "s1"), ("s1/b", "s1")]
    assert [pair.fakes["ours"].path for pair in pairs] == [ours / "s1/a.MP4", ours / "s1/b.webm"]
    assert [pair.reference for pair in pairs] == [None, pictures / "s1/b.png"]
    assert pairs[1].files == [real / "s1/b.mpg", pictures / "s1/b.png", ours / "s1/b.webm"]


def test_flat_names_stand_for_subfolders_unless_two_would_be_equal(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", "s1/a.mpg", "s2/b_c.mpg", "s2_b/c.mpg", "x/y.mpg", "x_y.mpg")
    flat = folder(tmp_path / "flat", "s1_a.mp4", "s2_b_c.mp4", "x_y.mp4")
    pairs = by_id(find_pairs(real, {"flat": flat}))
    assert set(pairs) == {"s1/a", "s2/b_c", "s2_b/c", "x/y", "x_y", "s2_b_c"}
    assert pairs["s1/a"].fakes["flat"].path == flat / "s1_a.mp4"
    assert pairs["x_y"].fakes["flat"].path == flat / "x_y.mp4"  # not that of x/y
    for unclear in ("s2/b_c", "s2_b/c", "x/y"):
        assert pairs[unclear].fakes["flat"].reason == "there is no generated video of this name"
    assert pairs["s2_b_c"].real is None
    assert pairs["s2_b_c"].fakes["flat"].reason == "there is no real video of this name for s2_b_c.mp4"


def test_unmatched_videos_have_a_reason_by_system(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", "a.mp4", "b.mp4")
    one, two = folder(tmp_path / "one", "a.mp4"), folder(tmp_path / "two", "a.mp4", "b.mp4", "c.mp4")
    pairs = by_id(find_pairs(real, {"one": one, "two": two}))
    assert pairs["b"].fakes == {
        "one": Fake(None, "there is no generated video of this name"),
        "two": Fake(two / "b.mp4"),
    }
    assert pairs["c"].fakes == {"two": Fake(None, "there is no real video of this name for c.mp4")}


def test_without_real_videos_every_video_is_a_clip(tmp_path: Path) -> None:
    one, two = folder(tmp_path / "one", "a.mp4"), folder(tmp_path / "two", "b.mp4")
    pairs = by_id(find_pairs(None, {"one": one, "two": two}))
    assert pairs["a"].fakes == {"one": Fake(one / "a.mp4")}
    assert pairs["b"].fakes == {"two": Fake(two / "b.mp4")}


def test_videos_that_differ_in_their_suffix_alone_keep_it(tmp_path: Path) -> None:
    assert set(find_videos(folder(tmp_path, "a.mp4", "a.avi", "b.mp4"), "--fake")) == {"a.mp4", "a.avi", "b"}


def test_missing_and_empty_folders_are_rejected(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", "a.mp4")
    with pytest.raises(PipelineError, match=r"--fake: .*nowhere is not a folder"):
        find_pairs(real, {"x": tmp_path / "nowhere"})
    with pytest.raises(PipelineError, match=r"--real: .*empty holds no file with a suffix of .3gp"):
        find_pairs(folder(tmp_path / "empty", "notes.txt"), {"x": real})
    other = folder(tmp_path / "other", "z.mp4")
    with pytest.raises(
        PipelineError, match=r"no video in .*other is called as one in .*real, such as z there and a here"
    ):
        find_pairs(real, {"x": other})
