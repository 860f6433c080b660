from pathlib import Path

import pytest

from pipeline.config.file import load_params
from pipeline.corpora.choose import choose_corpus
from pipeline.runtime.errors import PipelineError


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(Path("params.yaml").read_text().replace("lr: 0.001", "lr: 0.0007  # mine", 1))
    return path


def grid(folder: Path) -> Path:
    """Files with GRID's names."""
    for number in range(9):
        path = folder / "s1" / f"bbaf{number}n.mpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_changes_two_lines_and_nothing_else(params: Path, tmp_path: Path) -> None:
    before = params.read_text().splitlines()
    said = choose_corpus(params, "grid", grid(tmp_path))
    after = params.read_text().splitlines()
    changed = [line for line, old in zip(after, before, strict=True) if line != old]
    assert [line.split(" # ") for line in changed] == [
        ["corpus: grid"],
        [f"    root: {tmp_path}", "contains the folders s1, s2, ...; may be outside the project"],
    ]
    assert said == ["corpus: sample -> grid", f"corpora.grid.root: data/raw/grid -> {tmp_path}"]
    assert load_params(params).corpora["grid"]["root"] == str(tmp_path)


def test_choosing_back_restores_the_file(params: Path, tmp_path: Path) -> None:
    grid(tmp_path / "data/raw/grid")
    before = params.read_text()
    choose_corpus(params, "grid", None)
    assert load_params(params).corpus == "grid"
    choose_corpus(params, "sample", None)
    assert params.read_text() == before
    assert choose_corpus(params, "sample", None) == [f"{params} already says so."]


@pytest.mark.parametrize(
    ("corpus", "root", "message"),
    [
        (
            "grit",
            None,
            "corpus is 'grit'; it must be one of folder, grid, lrw, portraits, sample, union. Did you mean grid",
        ),
        ("sample", ".", "has no root"),
        ("grid", "/no/such/folder", "/no/such/folder is not a folder"),
        ("grid", "{tmp}", r"corpora\.grid\.root: no clip such as s1/bbaf2n\.mpg in .*\. Unpack the corpus there"),
        ("lrw", "{tmp}", r"corpora\.lrw\.root: no clip such as ABOUT/train"),
        ("folder", "{tmp}/empty", r"corpora\.folder\.root: no video"),
        ("portraits", "{tmp}/empty", r"corpora\.portraits\.root: no picture \(\.jpg, .*Give a folder of photographs"),
        ("folder", "{tmp}/reports/videos", r"which the stages write, overlap\. Give clips a folder apart"),
        ("folder", "{tmp}/linked", "overlap"),
        ("folder", "{tmp}", "overlap"),
        ("grid", "{tmp}/data/clips", "overlap"),
        ("grid", None, r"corpora\.grid\.root: .*raw/grid is not a folder\. Run: atvgnet use grid --root FOLDER"),
        ("lrw", None, r"corpora\.lrw\.root: .* is not a folder"),
        ("folder", None, r"corpora\.folder\.root: .* is not a folder"),
        ("portraits", None, r"corpora\.portraits\.root: .* is not a folder"),
    ],
)
def test_errors_leave_the_file_alone(params: Path, tmp_path: Path, corpus: str, root: str | None, message: str) -> None:
    for name in ("data/clips/s1", "reports/videos", "empty"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "linked").symlink_to("reports")
    root = root.format(tmp=tmp_path) if root else None
    before = params.read_text()
    with pytest.raises(PipelineError, match=message):
        choose_corpus(params, corpus, root)
    assert params.read_text() == before


def test_every_member_of_a_union_must_be_there(params: Path, tmp_path: Path) -> None:
    params.write_text(params.read_text().replace("of: [sample]", "of: [sample, grid]", 1))
    before = params.read_text()
    with pytest.raises(PipelineError, match=r"corpora\.grid\.root: .* is not a folder\. Set corpora\.grid\.root in"):
        choose_corpus(params, "union", None)
    assert params.read_text() == before
    grid(tmp_path / "data/raw/grid")
    assert choose_corpus(params, "union", None) == ["corpus: sample -> union"]


def test_an_invalid_file_is_unchanged(params: Path) -> None:
    params.write_text(params.read_text().replace("seed: 0", "seed: none", 1))
    before = params.read_text()
    with pytest.raises(PipelineError, match="seed is 'none'"):
        choose_corpus(params, "grid", None)
    assert params.read_text() == before


def test_a_link_stays_a_link(params: Path, tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "params.yaml").symlink_to(params)
    choose_corpus(tmp_path / "link" / "params.yaml", "grid", grid(tmp_path))
    assert (tmp_path / "link" / "params.yaml").is_symlink()
    assert load_params(params).corpus == "grid"
