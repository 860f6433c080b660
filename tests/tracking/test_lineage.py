"""Under real DVC: parents and children, links for what came from the cache, temporary experiments, killed stages.

The tests build on each other, in this order.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tracking.conftest import Project

pytestmark = pytest.mark.slow


def links(parent: Any) -> dict[str, str]:
    return {tag[len("stage.") :]: value for tag, value in parent.data.tags.items() if tag.startswith("stage.")}


def digests(run: Any) -> dict[str, str]:
    return {entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs}


def out_hash(lock: Path, path: str) -> str:
    """Md5 of an out by the words of `dvc.lock` itself."""
    return lock.read_text().split(f"path: {path}\n")[1].split("md5: ")[1].split()[0]


def best(project: Project) -> tuple[str, str]:
    """Run and value of the version that the alias names."""
    version = project.client().get_model_version_by_alias("atvgnet-atnet", "best")
    return version.run_id, version.tags["best.value"]


@pytest.fixture(scope="module")
def first(project: Project) -> Any:
    """The parent run of a `dvc repro` of everything."""
    output = project.dvc("repro").stdout
    assert "tracking" not in output
    assert "INFO" not in output
    project.run("git", "add", "dvc.lock")
    project.run("git", "commit", "-q", "-m", "reproduced")
    (parent,) = project.parents()
    return parent


def test_repro_is_one_parent_with_a_child_per_stage(project: Project, first: Any) -> None:
    commit = project.run("git", "rev-parse", "HEAD~1").stdout.strip()
    assert first.info.run_name == f"repro {commit[:7]}"
    assert first.info.status == "FINISHED"
    assert first.data.tags["git.commit"] == commit
    assert first.data.tags["git.dirty"] == "false"
    assert first.data.params == {
        "seed": "0", "prepare.count": "3", "train.lr": "0.5", "train.end": "well", "evaluate.more": "0.0",
    }  # fmt: skip
    assert first.data.metrics == {"at_vg.lmd": 0.5}

    children = project.children(first)
    assert list(children) == ["prepare", "train", "evaluate"]
    assert all(child.info.status == "FINISHED" for child in children.values())
    assert links(first) == {name: child.info.run_id for name, child in children.items()}
    assert children["train"].data.params == {"seed": "0", "train.lr": "0.5", "train.end": "well"}
    assert children["train"].data.metrics["loss"] == pytest.approx(0.01)
    assert children["evaluate"].data.metrics["at_vg.lmd"] == 0.5
    assert "system/cpu_utilization_percentage" in children["prepare"].data.metrics

    client = project.client()
    curve = client.get_metric_history(children["train"].info.run_id, "loss")
    assert [point.step for point in curve] == list(range(50))
    assert any(a.path.endswith(".png") for a in client.list_artifacts(children["train"].info.run_id, "images"))
    assert [a.path for a in client.list_artifacts(children["evaluate"].info.run_id)] == ["report"]


def test_data_are_inputs_with_dvc_hashes(project: Project, first: Any) -> None:
    lock = project.folder / "dvc.lock"
    children = project.children(first)
    assert digests(children["prepare"]) == {}
    assert digests(children["train"]) == {"data": out_hash(lock, "data")}
    assert digests(children["evaluate"]) == {"models": out_hash(lock, "models")}
    assert digests(first) == {"data": out_hash(lock, "data"), "models": out_hash(lock, "models")}


def test_lineage_names_the_outs(project: Project, first: Any, tmp_path: Path) -> None:
    lineage = json.loads(
        Path(project.client().download_artifacts(first.info.run_id, "lineage.json", tmp_path)).read_text()
    )
    assert lineage["train"]["outs"] == {"models": out_hash(project.folder / "dvc.lock", "models")}
    assert {name: stage["from_cache"] for name, stage in lineage.items()} == dict.fromkeys(lineage, False)


def test_everything_stays_in_two_ignored_places(project: Project, first: Any) -> None:
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert not (project.folder / "mlruns").exists()


def test_store_is_the_one_that_mlflow_ui_opens(project: Project, first: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracking._tracking_service.utils import _get_default_tracking_uri  # what `mlflow ui` asks

    monkeypatch.chdir(project.folder)
    assert _get_default_tracking_uri() == "sqlite:///mlflow.db"
    assert first.info.artifact_uri.startswith(f"file://{project.folder}/mlartifacts/")


def test_experiment_links_to_the_runs_behind_cached_stages(project: Project, first: Any) -> None:
    project.dvc("exp", "run", "-n", "lower", "-S", "train.lr=0.25")
    parent = project.parents()[-1]
    assert parent.info.run_name == parent.data.tags["dvc.exp.name"] == "lower"
    assert parent.data.tags["dvc.exp.baseline"] == project.run("git", "rev-parse", "HEAD").stdout.strip()
    assert parent.data.tags["git.dirty"] == "true"
    assert parent.data.params["train.lr"] == "0.25"
    children = project.children(parent)
    assert list(children) == ["train", "evaluate"]
    made = {name: child.info.run_id for name, child in children.items()}
    assert links(parent) == {"prepare": links(first)["prepare"], **made}
    assert best(project) == (made["train"], "0.25")


def test_temporary_experiments_reach_the_same_store(project: Project, first: Any) -> None:
    """They run in a copy without the store. Queued ones do too: see tests/stages/test_experiments.py."""
    before = len(project.parents())
    for name, lr in (("higher", "0.75"), ("lowest", "0.125")):
        project.dvc("exp", "run", "--temp", "-n", name, "-S", f"train.lr={lr}")
    # Only evaluate changes here: the training and its model come from the cache.
    project.dvc("exp", "run", "--temp", "-n", "worse", "-S", "train.lr=0.25", "-S", "evaluate.more=1.0")

    parents = {parent.info.run_name: parent for parent in project.parents()[before:]}
    assert set(parents) == {"higher", "lowest", "worse"}
    for name, value in (("higher", 0.75), ("lowest", 0.125)):
        assert parents[name].info.status == "FINISHED"
        assert parents[name].data.metrics == {"at_vg.lmd": value}
        children = project.children(parents[name])
        assert list(children) == ["train", "evaluate"]
        assert len(project.client().get_metric_history(children["train"].info.run_id, "loss")) == 50
        assert links(parents[name])["prepare"] == links(first)["prepare"]

    lower = next(parent for parent in project.parents() if parent.info.run_name == "lower")
    assert list(project.children(parents["worse"])) == ["evaluate"]
    assert links(parents["worse"])["train"] == links(lower)["train"]
    assert best(project) == (links(parents["lowest"])["train"], "0.125")
    versions = project.client().search_model_versions("name = 'atvgnet-atnet'")
    judged = {version.run_id: version.tags["best.value"] for version in versions}
    assert judged[links(lower)["train"]] == "0.25"  # the linked run's version was judged again, and worse
    assert sorted(judged.values()) == ["0.125", "0.25", "0.5", "0.75"]


def test_a_stage_started_by_hand_made_what_is_then_committed(project: Project, first: Any) -> None:
    project.run("git", "checkout", "-q", "params.yaml")
    params = project.folder / "params.yaml"
    params.write_text(params.read_text().replace("lr: 0.5", "lr: 0.625"))
    project.stage("train")
    by_hand = project.children(project.parents()[-1])["train"]
    assert digests(by_hand) == {"data": out_hash(project.folder / "dvc.lock", "data")}
    project.dvc("commit", "-f", "train")
    project.dvc("repro")
    parent = project.parents()[-1]
    assert list(project.children(parent)) == ["evaluate"]
    assert links(parent)["train"] == by_hand.info.run_id
    assert links(parent)["prepare"] == links(first)["prepare"]


def test_killed_stage_is_marked_when_the_next_begins(project: Project, first: Any) -> None:
    project.run("git", "checkout", "-q", "params.yaml")
    params = project.folder / "params.yaml"
    params.write_text(params.read_text().replace("end: well", "end: kill"))
    assert project.stage("train", check=False).returncode != 0
    parent = project.parents()[-1]
    assert parent.info.status == project.children(parent)["train"].info.status == "RUNNING"
    project.stage("prepare")
    parent = project.client().get_run(parent.info.run_id)
    assert parent.info.status == project.children(parent)["train"].info.status == "KILLED"
    assert project.parents()[-1].info.status == "FINISHED"
