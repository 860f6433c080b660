"""Evaluations of git revisions, DVC experiments and MLflow runs: real git, DVC and MLflow, and a stage that copies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.evaluation.comparison.paired import check_regressions
from pipeline.evaluation.comparison.revisions import read_evaluation
from pipeline.runtime.errors import PipelineError
from tests.evaluation.small import drawn_clips, write_evaluation

DVC = """
stages:
  evaluate:
    cmd: mkdir -p reports && cp made/* reports/
    deps: [made, params.yaml]
    outs: [reports/clips.csv, reports/info.json]
"""
pytestmark = pytest.mark.slow

CLIPS = drawn_clips([f"c{number:02}" for number in range(12)])


class SmallProject:
    """A project with one stage, evaluated and committed twice; the second time LMD of at_vg is worse by a half."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "dvc.yaml").write_text(DVC)
        self.run("git init -q -b main")
        self.run("dvc init -q")
        self.evaluate(CLIPS)
        self.commit("good")
        self.evaluate(self.worse())
        self.commit("worse")

    def worse(self, by: float = 0.5) -> pd.DataFrame:
        after = CLIPS.copy()
        after.loc[after["method"] == "at_vg", "lmd"] += by
        return after

    def evaluate(self, clips: pd.DataFrame) -> None:
        write_evaluation(self.folder / "made", clips)
        (self.folder / "params.yaml").write_text(f"rows: {len(clips)}\n")
        self.run("dvc repro -q")

    def commit(self, tag: str) -> None:
        self.run("git add -A")
        self.run("git commit -q -m evaluated")
        self.run(f"git tag {tag}")

    def run(self, command: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "GIT_"))}
        who = {f"GIT_{role}_{what}": "a@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**kept, **who, "PATH": path}
        done = subprocess.run(command.split(), cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return SmallProject(tmp_path_factory.mktemp("small"))


@pytest.fixture
def project(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """The small project as the working directory."""
    monkeypatch.chdir(small.folder)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return small


def lmd(name: str | None) -> float:
    clips = read_evaluation(name).clips
    return float(clips[clips["method"] == "at_vg"]["lmd"].mean())


GOOD = float(CLIPS[CLIPS["method"] == "at_vg"]["lmd"].mean())


def test_revisions_of_git_and_the_working_tree(project: SmallProject) -> None:
    before = project.run("git status --porcelain")
    assert lmd(None) == pytest.approx(GOOD + 0.5, abs=1e-6)
    assert lmd("worse") == lmd("HEAD") == lmd("main") == lmd(None)
    for name in ("good", "HEAD~1", project.run("git rev-parse --short good").strip()):
        assert lmd(name) == pytest.approx(GOOD, abs=1e-6)
    assert project.run("git status --porcelain") == before


def test_an_experiment_by_its_name(project: SmallProject) -> None:
    write_evaluation(project.folder / "made", project.worse(-0.25))
    try:
        project.run("dvc exp run -q -n better")
    finally:
        project.run("git checkout -q .")
        project.run("dvc checkout -q")
    assert lmd("better") == pytest.approx(GOOD - 0.25, abs=1e-6)


def test_the_gate_fails_only_for_worse_metrics(project: SmallProject) -> None:
    with pytest.raises(PipelineError, match=r"^Worse than good beyond the 95% interval: lmd of at_vg \+0\.500 \["):
        check_regressions("good")
    assert check_regressions("good", ["ssim"]).startswith("Not worse than good beyond the 95% interval: ssim of ")
    assert check_regressions("HEAD").startswith("Not worse than HEAD beyond the 95% interval: lmd of ")
    with pytest.raises(PipelineError, match="'lmdd' is not a metric"):
        check_regressions("good", ["lmdd"])


def test_an_unknown_revision(project: SmallProject) -> None:
    with pytest.raises(PipelineError, match="'nowhere' is not a git revision, a DVC experiment or"):
        read_evaluation("nowhere")


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match="HEAD: the project's folder with git and DVC is needed"):
        read_evaluation("HEAD")
    with pytest.raises(PipelineError, match=r"clips\.csv of the working tree is missing\. Run `dvc repro`"):
        read_evaluation(None)


def test_a_revision_whose_evaluation_is_not_in_the_cache(project: SmallProject, tmp_path: Path) -> None:
    shutil.move(project.folder / ".dvc/cache", tmp_path / "cache")
    try:
        with pytest.raises(PipelineError, match=r"clips\.csv of good is missing\. It is neither in the cache"):
            read_evaluation("good")
    finally:
        shutil.move(tmp_path / "cache", project.folder / ".dvc/cache")


def test_an_evaluation_in_a_remote_is_read_without_pull(project: SmallProject, tmp_path: Path) -> None:
    project.run(f"dvc remote add -q --local --default storage {tmp_path / 'storage'}")
    project.run("dvc push -q --all-commits")
    shutil.move(project.folder / ".dvc/cache", tmp_path / "cache")
    try:
        assert lmd("good") == pytest.approx(GOOD, abs=1e-6)
    finally:
        shutil.rmtree(project.folder / ".dvc/cache", ignore_errors=True)
        shutil.move(tmp_path / "cache", project.folder / ".dvc/cache")
        project.run("dvc remote remove -q --local storage")


def test_a_revision_before_there_was_an_evaluation(project: SmallProject) -> None:
    project.run("git checkout -q --orphan empty")
    try:
        project.run("git commit -q --allow-empty -m empty")
        project.run("git rm -rq --cached .")
        project.run("git commit -q -m empty")
        project.run("git tag empty-tag")
    finally:
        project.run("git checkout -q -f main")
    with pytest.raises(PipelineError, match=r"clips\.csv of empty-tag is missing\."):
        read_evaluation("empty-tag")


def test_an_evaluation_of_an_earlier_version(project: SmallProject) -> None:
    table = project.folder / "reports/clips.csv"
    before = table.read_bytes()
    table.unlink()
    table.write_text("id,speaker,lmd_at_vg\na,s,1.0\n")
    try:
        with pytest.raises(PipelineError, match="the working tree was evaluated by an earlier version of the project"):
            read_evaluation(None)
    finally:
        table.write_bytes(before)


def test_runs_of_mlflow(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of the evaluation, and the run of the whole pipeline, which names it."""
    from pipeline.tracking.store import connect, local_uri

    client = connect(local_uri())
    experiment = client.create_experiment("atvgnet", (project.folder / "mlartifacts").as_uri())
    evaluated, whole, other = (client.create_run(experiment).info.run_id for _ in range(3))
    client.log_artifacts(evaluated, str(project.folder / "reports"), "reports")
    client.set_tag(whole, "stage.evaluate", evaluated)
    assert lmd(evaluated) == lmd(whole) == lmd("worse")
    for name in (other, "0" * 32):
        with pytest.raises(PipelineError, match=f"^{name}: sqlite:///.* has no such run with an evaluation"):
            read_evaluation(name)
