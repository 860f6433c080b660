"""Splits and samples depend on names and seed alone, and every split gets its share."""

import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.base import Clip, Split
from pipeline.corpora.split import draw, rank, split_names, unite_copies
from pipeline.runtime.errors import PipelineError

NAMES = st.lists(st.text(max_size=8), min_size=3, max_size=80, unique=True)
SHARES = st.floats(0.01, 0.3)
SEEDS = st.integers(0, 2**31 - 1)


def speaker(name: str) -> str:
    return name.split("/")[0]


@given(NAMES, SHARES, SHARES, SEEDS)
def test_shares_are_kept_and_no_split_is_empty(names: list[str], val: float, test: float, seed: int) -> None:
    splits = split_names(names, seed=seed, val=val, test=test, keys="")
    counts = Counter(splits.values())
    assert set(splits) == set(names)
    assert counts["test"] == max(1, round(len(names) * test))
    assert counts["val"] == max(1, round(len(names) * val))
    assert counts["train"] >= 1


@given(NAMES, SEEDS, st.randoms())
def test_order_does_not_matter(names: list[str], seed: int, random: "st.DataObject") -> None:
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = split_names(names, seed=seed, val=0.2, test=0.2, keys="", group=lambda name: name[:1])
    assert first == split_names(shuffled, seed=seed, val=0.2, test=0.2, keys="", group=lambda name: name[:1])
    assert draw(names, 5, seed=seed) == draw(shuffled, 5, seed=seed)


@given(st.integers(1, 12), st.integers(4, 40), SEEDS)
def test_every_group_is_in_every_split(groups: int, size: int, seed: int) -> None:
    names = [f"s{group}/{number}" for group in range(groups) for number in range(size)]
    splits = split_names(names, seed=seed, val=0.25, test=0.25, keys="", group=speaker)
    for group in range(groups):
        counts = Counter(splits[name] for name in names if speaker(name) == f"s{group}")
        assert counts["test"] == pytest.approx(size / 4, abs=1)
        assert counts["val"] == pytest.approx(size / 4, abs=2)
        assert counts["train"] >= 1


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 20), min_size=1), st.integers(1, 60), SEEDS)
def test_draws_are_even(sizes: dict[str, int], count: int, seed: int) -> None:
    names = [f"{group}/{number}" for group, size in sizes.items() for number in range(size)]
    drawn = draw(names, count, seed=seed, group=speaker)
    assert len(drawn) == min(count, len(names)) == len(set(drawn))
    assert drawn == sorted(drawn)
    counts = Counter(map(speaker, drawn))
    for group, size in sizes.items():  # a group is behind another only when it has no more
        assert counts[group] == size or counts[group] >= max(counts.values()) - 1


def test_zero_draws_all() -> None:
    assert draw(["b", "a"], 0, seed=0) == ["a", "b"]


def test_another_seed_gives_another_split() -> None:
    names = [str(number) for number in range(100)]
    splits = [split_names(names, seed=seed, val=0.2, test=0.2, keys="") for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_the_order_is_the_same_on_every_machine() -> None:
    """Unlike Python's hash, it does not differ between processes."""
    assert rank(0, "s1/bbaf2n").startswith("a8f11fb28e0798d3")  # printf 0:s1/bbaf2n | sha256sum
    code = "from pipeline.corpora.split import draw; print(draw(map(str, range(50)), 5, seed=3))"
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert runs == {f"{draw(map(str, range(50)), 5, seed=3)}\n".encode()}


@pytest.mark.parametrize(
    ("names", "val", "test"), [([], 0.1, 0.1), (["a", "b"], 0.1, 0.1), (list("abcdef"), 0.5, 0.49)]
)
def test_too_few_names(names: list[str], val: float, test: float) -> None:
    with pytest.raises(PipelineError, match=rf"^{len(names)} speakers cannot be split .* Change corpora\.grid\.val\.$"):
        split_names(names, seed=0, val=val, test=test, keys="corpora.grid.val", what="speakers")


def cut(content: str, splits: str) -> tuple[list[Clip], dict[Path, str]]:
    """A file a letter of both: its content, and the split it was given; a dash is a file that cannot be read."""
    names: dict[str, Split] = {"t": "train", "v": "val", "e": "test"}
    clips = [Clip(f"c{n}", "", names[split], "", Path(f"/c{n}")) for n, split in enumerate(splits)]
    return clips, {clip.path: one.strip("-") for clip, one in zip(clips, content, strict=True)}


@pytest.mark.parametrize(
    ("content", "given", "right"),
    [
        ("abcdef", "tttvve", "tttvve"),
        ("aabcde", "tettve", "eettve"),
        ("aaabcd", "ttetve", "ttttve"),
        ("aaabbcd", "tvetvet", "eeevvet"),
        ("aaabc", "ttvte", "vvvte"),
        ("--abcd", "teteve", "teteve"),
    ],
)
def test_equal_files_are_in_one_split(content: str, given: str, right: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        united = unite_copies(*cut(content, given))
    assert [clip.split for clip in united] == [clip.split for clip in cut(content, right)[0]]
    copies = len(content.replace("-", "")) - len(set(content.replace("-", "")))
    said = f"{copies} clips are copies of others, such as c1 of c0. Equal clips are in one split."
    assert [record.getMessage() for record in caplog.records] == ([said] if copies else [])


def test_equal_sections_of_equal_videos_are_in_one_split() -> None:
    pieces: list[tuple[str, float, Split]] = [
        ("a", 0.0, "train"),
        ("a", 3.0, "train"),
        ("b", 0.0, "train"),
        ("b", 3.0, "test"),
        ("c", 0.0, "val"),
    ]
    clips = [Clip(f"{name}{start}", "", split, "", Path(name), start, 3.0) for name, start, split in pieces]
    united = unite_copies(clips, {Path("a"): "x", Path("b"): "x", Path("c"): "y"})
    assert [clip.split for clip in united] == ["train", "test", "train", "test", "val"]


def test_splits_of_copies_alone_keep_them(caplog: pytest.LogCaptureFixture) -> None:
    clips, hashes = cut("aaaaaaaaabb", "tttttttvett")
    assert unite_copies(clips, hashes) == clips
    assert caplog.messages == [
        "9 clips are copies of others, such as c1 of c0. "
        "Some are all that two splits have, and stay in both: add other clips."
    ]
