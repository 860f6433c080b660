"""Run, queue, keep, leave and compare experiments, as the README says."""

import json
import re
import shlex
import time
from pathlib import Path

import pytest

from tests.stages.conftest import STAGES, Project

pytestmark = pytest.mark.slow


def test_an_experiment_reruns_what_it_changes_and_costs_nothing_once_left(changing: Project) -> None:
    ran = changing.stages_run_by("dvc", "exp", "run", "-n", "slow", "-S", "vgnet.lr=2e-4")
    assert ran == ["train_vgnet", "evaluate"]
    shown = changing.run("dvc", "exp", "show", "--csv")
    assert "slow" in shown
    assert "0.0002" in shown
    (command,) = re.findall(r"dvc exp show (--only-changed [^#\n]*)#", Path("README.md").read_text(encoding="utf-8"))
    table = changing.run("dvc", "exp", "show", *shlex.split(command))
    assert "slow" in table
    assert max(map(len, table.splitlines())) <= 100  # of the 200 that there are
    assert "reports/metrics.json  at_vg.ssim" in changing.run("dvc", "metrics", "diff")
    every = changing.run("dvc", "metrics", "diff", "--targets", "reports/means.json")
    assert "silent.laplacian" in every
    compared = changing.run("atvgnet", "compare", "HEAD", "slow")
    assert "slow beside HEAD: per-clip differences with 95% intervals" in compared
    changing.run("git", "restore", "params.yaml")
    printed = changing.run("dvc", "repro")
    for stage in ran:  # from DVC's cache of runs, though git and not the cache has metrics.json
        assert f"Stage '{stage}' is cached - skipping run" in printed
    assert changing.run("git", "status", "--porcelain") == ""


def test_queued_experiments_side_by_side_reach_the_same_store(reproduced: Project) -> None:
    import mlflow

    for name, videos in (("first", 0), ("second", 2)):
        changes = ("-S", f"evaluate.videos={videos}", "-S", "evaluate.max_clips=1")
        reproduced.run("dvc", "exp", "run", "--queue", "-n", name, *changes)
    reproduced.run("dvc", "queue", "start", "-j", "2")
    deadline = time.monotonic() + 400
    while len(re.findall(r"Success|Failed", status := reproduced.run("dvc", "queue", "status"))) < 2:
        assert time.monotonic() < deadline, status
        time.sleep(5)  # to ask takes seconds of a core, too
    assert "Failed" not in status, status + reproduced.run("dvc", "queue", "logs", "first")
    client = mlflow.MlflowClient(f"sqlite:///{reproduced.folder}/mlflow.db")
    experiments = [one.experiment_id for one in client.search_experiments()]
    for name in ("first", "second"):
        (parent,) = client.search_runs(experiments, f"tags.`mlflow.runName` = '{name} sample'")
        children = client.search_runs(experiments, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
        assert {run.info.run_name for run in children} == {"evaluate"}
        assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
        assert "at_vg.lmd" in parent.data.metrics or "at_vg.ssim" in parent.data.metrics
        linked = {name: value for name, value in parent.data.tags.items() if name.startswith("stage.")}
        assert set(linked) == {f"stage.{stage}" for stage in STAGES}
        assert "made elsewhere" not in linked.values()


def test_dvc_passes_the_message_on(reproduced: Project) -> None:
    words = ("dvc", "exp", "run", "--temp", "--single-item", "-S", "corpus=grid", "extract")
    printed = reproduced.run(*words, good=False)
    assert "corpora.grid.root: the folder" in printed


def test_figures_are_compared_without_a_cache(reproduced: Project, tmp_path: Path) -> None:
    """In a clone whose own training gave other bytes: metrics.json lies in git, so nothing has to be fetched."""
    reproduced.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    path = clone.folder / "reports/metrics.json"
    before = json.loads(path.read_text())
    after = {**before, "at_vg": {**before["at_vg"], "lmd": before["at_vg"]["lmd"] + 0.5}}
    path.write_text(json.dumps(after, indent=2) + "\n")
    change = json.loads(clone.run("dvc", "metrics", "diff", "--json"))
    lmd = {"old": before["at_vg"]["lmd"], "new": after["at_vg"]["lmd"], "diff": pytest.approx(0.5)}
    assert change == {"reports/metrics.json": {"at_vg.lmd": lmd}}
    header, workspace, commit, *_ = (line.split(",") for line in clone.run("dvc", "exp", "show", "--csv").splitlines())
    columns = [name for name in header if name.partition(".")[0] in before]
    assert columns[0] == "at_vg.lmd"
    assert len(columns) == sum(map(len, before.values()))
    shown = [float(row[header.index("at_vg.lmd")]) for row in (workspace, commit)]
    assert shown == pytest.approx([after["at_vg"]["lmd"], before["at_vg"]["lmd"]])
    for command in (("metrics", "diff"), ("exp", "show"), ("metrics", "show")):
        assert "failed to load" not in clone.run("dvc", *command)
