"""Several corpora as one."""

import os
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.config.params import Params
from pipeline.corpora.folder import FolderParams
from pipeline.corpora.grid import GridParams
from pipeline.corpora.registry import check_corpora, check_root, open_corpus, terms
from pipeline.corpora.union import UnionParams, roots, weights_of
from pipeline.runtime.errors import PipelineError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two corpora of empty files."""
    for speaker in ("s1", "s2", "s3"):
        for number in range(5):
            path = tmp_path / "grid" / speaker / f"c{number}.mpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"no video")
    for name in "abcd":
        path = tmp_path / "own" / name / "talk.mp4"
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def params(home: Path, **union: object) -> Params:
    own = {"of": ["grid", "folder"], "weights": [], "evaluate_on": [], **union}
    return Params(
        corpus="union",
        corpora={
            "grid": asdict(GridParams(root=str(home / "grid"), val=0.2, test=0.2)),
            "folder": asdict(FolderParams(root=str(home / "own"))),
            "union": own,
        },
    )


def test_members_keep_their_splits_under_their_names(home: Path) -> None:
    chosen = params(home)
    clips = open_corpus(chosen, home / "project").clips()
    alone = Params(corpus="grid", corpora=chosen.corpora)
    grid = {f"grid/{clip.id}": clip.split for clip in open_corpus(alone, home).clips()}
    assert {clip.id: clip.split for clip in clips if clip.id.startswith("grid/")} == grid
    assert {clip.speaker for clip in clips} == {"grid/s1", "grid/s2", "grid/s3", *(f"folder/{name}" for name in "abcd")}
    assert [clip.id for clip in clips] == sorted(clip.id for clip in clips)
    assert all(clip.path.exists() for clip in clips)


def test_paths_below_the_root_do_not_depend_on_the_corpora(home: Path) -> None:
    def places() -> list[str]:
        corpus = open_corpus(params(home), home / "project")
        return [clip.path.relative_to(corpus.root).as_posix() for clip in corpus.clips()]

    first = places()
    assert first[-1] == "grid/s3/c4.mpg"
    (home / "grid").rename(home / "moved")
    os.symlink(home / "moved", home / "grid")
    assert places() == first


def test_the_link_follows_a_moved_root(home: Path) -> None:
    open_corpus(params(home), home / "project").clips()
    (home / "own").rename(home / "elsewhere")
    chosen = params(home)
    other = {**chosen.corpora, "folder": asdict(FolderParams(root=str(home / "elsewhere")))}
    clips = open_corpus(Params(corpus="union", corpora=other), home / "project").clips()
    assert all(clip.path.exists() for clip in clips)


def test_evaluate_on(home: Path) -> None:
    clips = open_corpus(params(home, evaluate_on=["grid"]), home / "project").clips()
    assert {clip.split for clip in clips if clip.id.startswith("folder/")} == {"train"}
    assert {clip.split for clip in clips if clip.id.startswith("grid/")} == {"train", "val", "test"}


def test_weights_have_the_corporas_order(home: Path) -> None:
    assert weights_of(params(home, weights=[1.0, 3.0])) == {"grid": 1.0, "folder": 3.0}
    assert weights_of(params(home)) == {"grid": 1.0, "folder": 1.0}
    assert weights_of(Params()) == {}


def test_terms_and_roots_of_all_members(home: Path) -> None:
    licence, attribution = terms(params(home))
    assert licence == "grid: CC BY 4.0; folder: That of your videos"
    assert "Cooke" in attribution
    assert "Your own videos." in attribution
    assert roots(open_corpus(params(home), home / "project")) == [home / "grid", home / "own"]


@pytest.mark.parametrize(
    ("union", "message"),
    [
        ({"of": []}, "of must name one corpus at least"),
        ({"of": ["grid", "union"]}, "of must not name union itself"),
        ({"of": ["grid", "grid"]}, "of must not name a corpus twice"),
        ({"weights": [1.0]}, "weights must be empty, or as many as of has names"),
        ({"weights": [1.0, 0.0]}, "weights must be above 0"),
        ({"evaluate_on": ["lrw"]}, "evaluate_on must name corpora that of names"),
        ({"of": ["grid", "gird"]}, "a name in corpora.union.of is 'gird'; it must be one of .* Did you mean grid?"),
        ({"of": ["grid", "lrw"]}, "corpora.lrw is missing from params.yaml"),
    ],
)
def test_invalid_unions_are_refused(home: Path, union: dict[str, object], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        check_corpora(params(home, **union))


def test_a_root_inside_the_outs_is_refused(home: Path) -> None:
    (home / "project/data/faces").mkdir(parents=True)
    chosen = params(home)
    other = {**chosen.corpora, "folder": asdict(FolderParams(root="data/faces"))}
    with pytest.raises(PipelineError, match=r"corpora\.folder\.root: .* overlap"):
        check_root(Params(corpus="union", corpora=other), home / "project")


def test_the_defaults_are_valid() -> None:
    assert UnionParams().of == ("sample",)
