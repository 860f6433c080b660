"""GRID's layouts, its texts, its speakers and its splits."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.params import Params
from pipeline.corpora.base import Clip
from pipeline.corpora.grid import GridParams
from pipeline.corpora.registry import open_corpus
from pipeline.runtime.errors import PipelineError
from tests.corpora.sections import default_sections


def params(root: Path | str, seed: int = 0, **grid: Any) -> Params:
    return Params(seed=seed, corpus="grid", corpora={"grid": asdict(GridParams(root=str(root), **grid))})


def clips(root: Path | str, project: Path = Path("/nowhere"), **grid: Any) -> list[Clip]:
    return open_corpus(params(root, **grid), project).clips()


def make(root: Path, *names: str) -> Path:
    """Files that the corpus lists but does not open."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def many(root: Path, speakers: int, sentences: int) -> Path:
    return make(root, *(f"s{s}/c{n}.mpg" for s in range(1, speakers + 1) for n in range(sentences)))


def test_the_real_corpus(corpora: Path) -> None:
    found = clips(corpora / "grid")
    assert len(found) == 389
    assert Counter(clip.speaker for clip in found) == {
        "s1": 373,
        "s31": 10,
        "s2": 2,
        "s3": 1,
        "s5": 1,
        "s20": 1,
        "s22": 1,
    }
    assert Counter(clip.split for clip in found) == {"train": 311, "val": 39, "test": 39}
    assert [clip.id for clip in found] == sorted(clip.id for clip in found)
    one = next(clip for clip in found if clip.id == "s1/bbaf3s")
    assert one.text == "bin blue at f three soon"
    assert one.path == corpora / "grid/s1/bbaf3s.mpg"
    assert (one.start, one.duration) == (0.0, None)
    assert all(len(clip.text.split()) == 6 for clip in found)


def test_the_high_resolution_version(corpora: Path) -> None:
    assert {clip.speaker for clip in clips(corpora / "grid_hq")} == {"s4"}


def test_layouts(tmp_path: Path) -> None:
    make(
        tmp_path,
        "s1/a.mpg",
        "s2/video/mpg_6000/b.mpg",
        "s10/video/c.mpg",
        "s10/._c.mpg",
        "s10/notes.txt",
        "other/d.mpg",
    )
    for name, words in (("alignments/s1/a.align", "bin"), ("s2/align/b.align", "lay")):
        make(tmp_path, name).joinpath(name).write_text(
            f"0 1000 sil\n1000 2000 {words}\n2000 3000 sp\n3000 4000 blue\n\n"
        )
    found = clips(tmp_path)
    assert {clip.id: clip.text for clip in found} == {"s1/a": "bin blue", "s2/b": "lay blue", "s10/c": ""}


def test_one_of_two_qualities_is_used(tmp_path: Path) -> None:
    make(tmp_path, "s1/a.mpg", "s1/b.mpg", "s1/c.mpg", "s1/video/mpg_vcd/a.mpg", "s1/video/mpg_6000/a.mpg")
    assert [clip.path.relative_to(tmp_path).as_posix() for clip in clips(tmp_path)] == [
        "s1/a.mpg",
        "s1/b.mpg",
        "s1/c.mpg",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["S1/a.MPG", "S1/b.MPG", "S2/a.MPG"],
        ["grid/s1/a.mpg", "grid/s1/b.mpg", "grid/s2/a.mpg"],
        ["data/GRID/S1/a.mpg", "data/GRID/S1/b.mpg", "data/GRID/s2/a.mpg"],
        ["s1.mpg_vcd/s1/a.mpg", "s1.mpg_vcd/s1/b.mpg", "s2.mpg_vcd/s2/a.mpg"],
        ["video/s1/mpg_6000/a.mpg", "video/s1/mpg_6000/b.mpg", "video/s2/a.mpg"],
        ["s1/a.avi", "s1/b.mp4", "s2/a.MOV"],
        ["s1/video/a.mpg", "S1/b.mpg", "s2/a.mpg"],
    ],
)
def test_layouts_of_other_copies(tmp_path: Path, names: list[str]) -> None:
    make(tmp_path, *names, "alignments/s1/a.align")
    assert [clip.id for clip in clips(tmp_path, speakers=("S1", "s2"))] == ["s1/a", "s1/b", "s2/a"]
    assert {clip.speaker for clip in clips(tmp_path, speakers=("s1", "S2"))} == {"s1", "s2"}


@pytest.mark.parametrize(
    ("video", "alignment"),
    [
        ("S1/A.MPG", "alignments/s1/a.align"),
        ("s1/a.mpg", "Alignments/S1/A.ALIGN"),
        ("s1/a.mpg", "s1/Align/a.align"),
        ("grid/s1/a.mpg", "grid/alignments/s1/a.align"),
        ("grid/s1/a.mpg", "align/s1/a.align"),
    ],
)
def test_words_of_other_copies(tmp_path: Path, video: str, alignment: str) -> None:
    make(tmp_path, video, video.replace("a.", "b.").replace("A.", "B."), video.replace("a.", "c.").replace("A.", "C."))
    path = make(tmp_path, alignment) / alignment
    path.write_text("0 1000 sil\n1000 2000 bin\n")
    assert [clip.text for clip in clips(tmp_path)] == ["bin", "", ""]


def test_the_usual_layout_takes_precedence(tmp_path: Path) -> None:
    make(tmp_path, "s1/a.mpg", "s1/b.mpg", "s1/c.mpg", "old/s1/d.mpg", "old/s9/e.mpg", "s1/a.avi", "s1/notes.zip")
    assert {clip.path.name for clip in clips(tmp_path)} == {"a.mpg", "b.mpg", "c.mpg"}


@pytest.mark.parametrize(
    ("names", "below", "said"),
    [
        (["s1.zip", "s2.zip"], "", r"which holds 2 \.zip\. Unpack s1\.zip and 1 more there\.$"),
        (["a/s1.mpg_vcd.tar"], "", r"which holds the folder a; 1 \.tar\. Unpack a/s1\.mpg_vcd\.tar there\.$"),
        (
            ["S1/a.mpg"],
            "S1",
            r"holds 1 \.mpg\. That is the folder of one speaker: set corpora\.grid\.root to .*/r\.",
        ),
        (["id1/a.mpg", "id2/b.MPG"], "", r"the folders id1, id2; 1 \.MPG; 1 \.mpg\. Put every speaker's clips into"),
        (
            ["a/x.wav", "b/x.wav", "c/x.wav", "d/x"],
            "",
            r"folders a, b, c and 1 more; 3 \.wav; 1 without suffix\. Unpack",
        ),
        ([".hidden"], "", r"which holds nothing\. Unpack the corpus there \(Zenodo"),
    ],
)
def test_the_message_describes_the_contents(tmp_path: Path, names: list[str], below: str, said: str) -> None:
    make(tmp_path / "r", *names)
    with pytest.raises(PipelineError, match=said):
        clips(tmp_path / "r" / below)


def test_split_by_clip_has_every_speaker_in_every_split(tmp_path: Path) -> None:
    found = clips(many(tmp_path, 8, 10), val=0.1, test=0.2)
    for speaker in {clip.speaker for clip in found}:
        assert Counter(clip.split for clip in found if clip.speaker == speaker) == {"train": 7, "val": 1, "test": 2}


def test_split_by_speaker_has_no_speaker_in_two(tmp_path: Path) -> None:
    found = clips(many(tmp_path, 10, 4), split_by="speaker")
    assert len({(clip.speaker, clip.split) for clip in found}) == 10
    assert Counter(clip.split for clip in found) == {"train": 32, "val": 4, "test": 4}


def test_filters(tmp_path: Path) -> None:
    many(tmp_path, 6, 20)
    assert {clip.speaker for clip in clips(tmp_path, speakers=("s2", "s5"))} == {"s2", "s5"}
    drawn = clips(tmp_path, max_clips=12)
    assert set(Counter(clip.speaker for clip in drawn).values()) == {2}
    assert {clip.id.split("/")[1] for clip in drawn} != {"c0", "c1"}  # drawn, not the first ones


def test_seed_and_order(tmp_path: Path) -> None:
    many(tmp_path, 3, 20)
    first, again, other = (open_corpus(params(tmp_path, seed), tmp_path).clips() for seed in (0, 0, 1))
    assert first == again
    assert [clip.id for clip in first] == [clip.id for clip in other]
    assert first != other


def test_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many(tmp_path / "data/raw/grid", 1, 5)
    assert len(clips("data/raw/grid", project=tmp_path)) == 5
    monkeypatch.setenv("HOME", str(tmp_path))
    corpus = open_corpus(params("~/data/raw/grid"), Path("/nowhere"))
    assert corpus.root == tmp_path / "data/raw/grid"
    many(tmp_path / "elsewhere/s9x", 1, 5)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/s1").symlink_to(tmp_path / "data/raw/grid/s1")
    (tmp_path / "data/raw/grid/s1/loop").symlink_to(tmp_path / "data/raw/grid/s1")
    assert len(clips(tmp_path / "linked")) == 5


def test_the_sample_is_read_like_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many(tmp_path / "data/sample", 8, 9)
    monkeypatch.chdir(tmp_path)
    corpus = open_corpus(Params(corpora=default_sections()), Path("/nowhere"))
    assert corpus.root == tmp_path / "data/sample"
    found = corpus.clips()
    assert Counter(clip.split for clip in found) == {"train": 48, "val": 8, "test": 16}
    assert len({(clip.speaker, clip.split) for clip in found}) == 24


@pytest.mark.parametrize(
    ("make_root", "grid", "message"),
    [
        (lambda path: path / "none", {}, r"corpora\.grid\.root: the folder .*none does not exist\. Unpack .*3625687"),
        (lambda path: make(path, "file") / "file", {}, r"corpora\.grid\.root: .*file is a file"),
        (lambda path: path, {}, r"corpora\.grid\.root: no clip such as s1/bbaf2n\.mpg in "),
        (lambda path: make(path, "s1/a.txt"), {}, r"corpora\.grid\.root: no clip"),
        (
            lambda path: many(path, 3, 2),
            {"speakers": ("s21",)},
            r"speakers: no folder s21 in .* There are: s1, s2, s3\.",
        ),
        (lambda path: many(path, 1, 2), {}, r"^2 clips cannot be split .* Change corpora\.grid\.val or "),
        (lambda path: many(path, 9, 9), {"max_clips": 2}, r"^2 clips cannot .* corpora\.grid\.max_clips"),
        (
            lambda path: many(path, 2, 9),
            {"split_by": "speaker"},
            r"^2 speakers cannot .* corpora\.grid\.split_by to clip",
        ),
    ],
)
def test_errors_name_the_key(tmp_path: Path, make_root: object, grid: dict[str, Any], message: str) -> None:
    root = make_root(tmp_path)  # type: ignore[operator]
    with pytest.raises(PipelineError, match=message):
        clips(root, **grid)


def test_a_missing_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match=r"data/sample does not exist\. Make it with `dvc repro"):
        open_corpus(Params(corpora=default_sections()), tmp_path).clips()


@pytest.mark.parametrize("split_by", ["clip", "speaker"])
def test_test_speakers_are_only_in_the_test_split(split_by: str, tmp_path: Path) -> None:
    found = clips(many(tmp_path, 4, 6), split_by=split_by, val=0.2, test=0.2, test_speakers=("S4",))
    assert {clip.split for clip in found if clip.speaker == "s4"} == {"test"}
    assert {clip.split for clip in found if clip.speaker != "s4"} == {"train", "val", "test"}


def test_an_unknown_test_speaker_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"corpora\.grid\.test_speakers: no folder s9 in .* There are: s1\."):
        clips(many(tmp_path, 1, 6), test_speakers=("s9",))
