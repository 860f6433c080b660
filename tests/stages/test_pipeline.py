"""The whole pipeline, run by real DVC on the sample corpus, and what its users run on it."""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.results import difference_text, number_text, read_results, rows_of, title_of
from pipeline.evaluation.studies import STUDIES
from pipeline.evaluation.tables import headline
from pipeline.metrics import DECIDING, METRICS
from tests.reports.parsed_page import Read
from tests.stages.conftest import STAGES, Project

pytestmark = pytest.mark.slow


def test_the_picture_of_the_design(reproduced: Project) -> None:
    drawn = reproduced.run("dvc", "dag", "--dot")
    edges = set(re.findall(r'"(\w+)" -> "(\w+)"', drawn))
    assert edges == {
        ("sample", "extract"),
        ("portraits", "extract"),
        ("extract", "landmarks"),
        ("landmarks", "pca"),
        ("extract", "mfcc"),
        ("landmarks", "train_atnet"),
        ("mfcc", "train_atnet"),
        ("pca", "train_atnet"),
        ("landmarks", "train_vgnet"),
        ("pca", "train_vgnet"),
        ("extract", "evaluate"),
        ("landmarks", "evaluate"),
        ("mfcc", "evaluate"),
        ("pca", "evaluate"),
        ("train_atnet", "evaluate"),
        ("train_vgnet", "evaluate"),
    }


def test_everything_is_there(reproduced: Project) -> None:
    folder = reproduced.folder
    metrics = json.loads((folder / "reports/means.json").read_text())
    assert list(metrics) == list(reversed(BASELINES))
    for row in metrics.values():
        assert next(iter(row)) == DECIDING
        assert 0 <= row["ssim"] <= 1
    assert 0 < metrics["at_vg"]["drawn_lmd"] < 5
    assert "drawn_lmd" not in metrics["vg_gt"]
    for row in csv.DictReader((folder / "reports/metrics.csv").read_text().splitlines()):
        if int(row["clips"]) > 1:
            assert float(row["low"]) <= float(row["mean"]) <= float(row["high"])
        if row["group"] == "all":
            assert float(row["mean"]) == metrics[row["method"]][row["metric"]]
    clips = pd.read_csv(folder / "reports/clips.csv")
    for method, row in metrics.items():
        of_method = clips[clips["method"] == method]
        assert {name: of_method[name].mean() for name in row} == pytest.approx(row, abs=2e-6)
    assert set(clips["seen"]) <= {"yes", "no"}
    assert len(list((folder / "reports/pictures").glob("*.png"))) == 1
    assert len(list((folder / "reports/videos").glob("*.mp4"))) == 1
    shown = reproduced.run("dvc", "metrics", "show")
    assert "at_vg.lmd" in shown
    assert max(map(len, shown.splitlines())) < 90
    report = reproduced.run("atvgnet", "report")
    assert "speech alone" in report
    assert "http://127.0.0.1:5000/#/experiments/1?workflowType=machine_learning" in report
    assert "http://127.0.0.1:5000/#/models" in report


def test_the_metrics_agree_everywhere(reproduced: Project) -> None:
    """means.json, `dvc metrics show`, the data of plots, MLflow, the report in the terminal, as Markdown and page."""
    import mlflow

    folder = reproduced.folder
    means = json.loads((folder / "reports/means.json").read_text())
    shown = json.loads(reproduced.run("dvc", "metrics", "show", "--json"))
    assert shown[""]["data"]["reports/metrics.json"]["data"] == headline(means)
    (chart,) = json.loads(reproduced.run("dvc", "plots", "show", "--json", "reports_lmd"))["data"]["reports_lmd"]
    points = pd.DataFrame(chart["content"]["data"]["values"]).astype({"lmd": float})
    of_method = {method: row["lmd"] for method, row in means.items() if "lmd" in row}
    assert points.groupby("method")["lmd"].mean().dropna().to_dict() == pytest.approx(of_method, abs=2e-6)
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    named = "tags.`mlflow.runName` LIKE 'repro sample %'"  # other tests add more
    experiments = [one.experiment_id for one in client.search_experiments()]
    run, *_ = client.search_runs(experiments, named, order_by=["attributes.start_time ASC"])
    flat = {f"{method}.{name}": value for method, row in means.items() for name, value in row.items()}
    assert {name: run.data.metrics.get(name) for name in flat} == flat
    methods = ["at_vg", *(name for name in reversed(means) if name != "at_vg")]
    expected = {
        name: [number_text(means[one][name], name) if name in means[one] else "-" for one in methods]
        for name in METRICS
        if any(name in row for row in means.values())
    }
    differences = rows_of(read_results(folder / "reports").differences)
    apart = {row.metric: difference_text(row) for row in differences if row.against == "mismatched"}
    assert "lmd" in apart
    report = [line.split() for line in reproduced.run("atvgnet", "report").splitlines()]
    markdown = reproduced.run("atvgnet", "report", "--md", "--baseline", "HEAD")
    means_of_all = markdown.split("<details>")[1].splitlines()
    page = Read((folder / "reports/index.html").read_text(encoding="utf-8"))
    for name, values in expected.items():
        title, (line,) = title_of(name), [line for line in report if line[:1] == [name]]
        words = [word for word in line[1:] if word[0] not in "↑↓±"]
        assert words == [values[0], *apart.get(name, "-").split(), *values[1:]]
        row = next(line for line in means_of_all if line.startswith(f"| {title} |"))
        assert [cell.split()[0] for cell in row.strip("| ").split(" | ")[1:]] == values
        row_of_page = next(row for row in page.rows if row[0] == title)
        assert [cell.split()[0] for cell in row_of_page[1:]] == values
    assert "+0.000 [+0.000, +0.000]" in markdown
    assert "worse**" not in markdown
    gate = reproduced.run("atvgnet", "gate", "--baseline", "HEAD")
    assert gate.startswith("Not worse than HEAD beyond the 95% interval: lmd of vg_gt +0.000")
    assert reproduced.run("git", "status", "--porcelain") == ""


def test_what_a_param_reruns(reproduced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage depends on just the params it uses."""
    from dvc.repo import Repo

    monkeypatch.chdir(reproduced.folder)
    first = {
        "corpora.sample.seed": ["sample", "extract"],
        "corpora.grid.root": ["extract"],  # which a union may have in it
        "corpora.portraits.clips": ["portraits", "extract"],
        "corpora.union.weights": ["extract", "train_atnet", "train_vgnet"],
        "extract.shard_clips": ["extract"],
        "extract.min_frames": ["extract", "landmarks"],  # which draws all limits beside the metrics
        "extract.time_limit": ["extract", "landmarks"],
        "landmarks.smoothing": ["landmarks"],
        "landmarks.size": ["landmarks"],
        "pca.components": ["pca"],
        "mfcc.window": ["mfcc", "train_atnet"],  # whose file says what it hears
        "mfcc.normalise": ["mfcc", "train_atnet"],
        "mfcc.init": ["mfcc"],
        "mfcc.variants": ["mfcc"],
        "atnet.lr": ["train_atnet"],
        "vgnet.lr": ["train_vgnet"],
        "evaluate.videos": ["evaluate"],
        "seed": ["extract", "train_atnet", "train_vgnet", "evaluate"],
    }
    values: dict[str, object] = {
        "corpora.grid.root": "elsewhere",
        "corpora.union.weights": [2.0],
        "landmarks.smoothing": 0.5,
        "landmarks.size": 256,
        "mfcc.window": 0.03,
        "mfcc.normalise": "clip",
        "mfcc.init": "models",
    }
    params = reproduced.folder / "params.yaml"
    before = params.read_text()
    with Repo() as repo:
        assert set(repo.status()) <= {"studies/dvc.yaml:studies"}  # which runs when asked alone
        read = [(stage, [dep for dep in stage.deps if dep.fs_path == str(params)]) for stage in repo.index.stages]
        try:
            for key, stages in first.items():
                default = 0.0003 if key.endswith(".lr") else 25 if key == "extract.min_frames" else 2
                reproduced.change({key: values.get(key, default)})
                # As `dvc status` finds it, without its look at all other files, which stay as they are.
                changed = {stage.addressing for stage, deps in read if any(dep.status() for dep in deps)}
                assert sorted(changed - {"studies/dvc.yaml:studies"}) == sorted(stages), key
                params.write_text(before)
        finally:
            params.write_text(before)


def test_nothing_changed_is_a_no_op(reproduced: Project) -> None:
    assert reproduced.stages_run_by("dvc", "repro") == []
    assert reproduced.stages_run_by("dvc", "exp", "run") == []


def test_killed_at_any_moment_it_goes_on(reproduced: Project, tmp_path: Path) -> None:
    """Two stages are run again, each killed with -9 at a random moment. Then `dvc repro` makes the same bytes."""
    shutil.copytree(reproduced.folder, tmp_path / "killed", symlinks=True)
    project = Project(tmp_path / "killed")
    shutil.rmtree(project.folder / ".dvc/cache/runs")  # nothing comes from the cache in place of a run
    chance = random.Random(os.environ.get("PYTEST_SEED", "0"))
    for stage in chance.sample([name for name in STAGES if name not in ("portraits", "pca")], 2):
        process = subprocess.Popen(
            ["dvc", "repro", "--force", "--single-item", stage],
            cwd=project.folder,
            env={**project.environment, "ATVGNET_JOBS": "2"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chance.uniform(3, 12))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    project.run("dvc", "repro")
    assert project.lock() == reproduced.lock()
    assert project.lock()["stages"].keys() == set(STAGES)
    assert json.loads(project.run("dvc", "status", "--json")).keys() <= {"studies/dvc.yaml:studies"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": "grid"}, r"corpora\.grid\.root: the folder .*data/raw/grid does not exist"),
        ({"corpus": "grit"}, r"corpus is 'grit'; it must be one of .* Did you mean grid\?"),
        ({"corpus": "grid", "corpora.grid.root": "docs"}, r"corpora\.grid\.root"),
        ({"corpus": "folder", "corpora.folder.root": "README.md"}, r"corpora\.folder\.root: .*README\.md is a file"),
        ({"extract.min_frames": "many"}, r"extract\.min_frames is 'many'; it must be a whole number"),
        ({"extract.min_frames": 500}, r"clips are rejected, more than extract\.max_lost"),
    ],
)
def test_bad_input_ends_clearly_and_keeps_what_was_there(
    reproduced: Project, changes: dict[str, object], message: str
) -> None:
    manifest = reproduced.folder / "data/clips/manifest.parquet"
    before = manifest.read_bytes()
    params = (reproduced.folder / "params.yaml").read_text()
    try:
        reproduced.change(changes)
        printed = reproduced.run("python", "-m", "stages.extract", good=False)
    finally:
        (reproduced.folder / "params.yaml").write_text(params)
    assert re.search(message, printed), printed
    assert "Traceback" not in printed
    assert manifest.read_bytes() == before


def test_a_second_clone_pulls_everything_and_has_nothing_to_do(reproduced: Project, tmp_path: Path) -> None:
    """docs/remote.md, with a folder as the remote: data, models and an experiment reach another clone."""
    shutil.copytree(reproduced.folder, tmp_path / "first", symlinks=True)
    first, second = Project(tmp_path / "first"), Project(tmp_path / "second")
    first.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "storage"))
    first.run("git", "commit", "-qam", "A remote")
    first.run("git", "clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    first.run("git", "remote", "add", "origin", str(tmp_path / "hub.git"))
    first.run("dvc", "push")
    first.run("git", "clone", "-q", str(tmp_path / "hub.git"), str(tmp_path / "second"))
    assert not (second.folder / "models/atnet/model.json").exists()
    second.run("dvc", "pull")
    assert (second.folder / "models/bundle.json").exists()
    assert second.stages_run_by("dvc", "repro") == []
    assert second.run("git", "status", "--porcelain") == ""
    first.change({"evaluate.videos": 0})
    for video in (first.folder / "reports").glob("videos/*.mp4"):
        video.unlink()
    first.run("dvc", "exp", "save", "--name", "bare")
    first.run("dvc", "exp", "push", "origin", "bare")
    assert "bare" in second.run("dvc", "exp", "list", "origin")
    second.run("dvc", "exp", "pull", "origin", "bare")
    second.run("dvc", "exp", "apply", "bare")
    assert yaml.safe_load((second.folder / "params.yaml").read_text())["evaluate"]["videos"] == 0
    assert not list((second.folder / "reports").glob("videos/*.mp4"))


def test_studies_run_when_they_are_asked_for(reproduced: Project) -> None:
    """And `dvc repro` alone leaves them out: git has those of the last time."""
    import mlflow

    folder = reproduced.folder
    assert reproduced.run("git", "status", "--porcelain", "studies") == ""
    try:
        reproduced.change({"studies.clips": 1})
        printed = reproduced.run("dvc", "repro", "-R", "studies")
        assert re.findall(r"Running stage '(\S+)'", printed) == ["studies/dvc.yaml:studies"]
        assert "fault in the tracking" not in printed
        tables = {path.stem: pd.read_csv(path) for path in (folder / "studies").glob("*.csv")}
        assert tables.keys() == STUDIES.keys()
        for name, table in tables.items():
            study = STUDIES[name]
            assert list(table["level"]) == list(study.levels)
            assert set(study.metrics) <= set(table)
            assert (table["clips"] == 1).all()
        lmd = tables["landmark_noise"]["lmd"]
        assert lmd.between(0, 5).all()
        client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiments = [one.experiment_id for one in client.search_experiments()]
        run, *_ = client.search_runs(experiments, "tags.`mlflow.runName` = 'studies'")
        curve = client.get_metric_history(run.info.run_id, "landmark_noise.lmd")
        levels = {point.step / 100: point.value for point in curve}
        assert levels == pytest.approx(dict(zip(tables["landmark_noise"]["level"], lmd, strict=True)), abs=2e-6)
        reproduced.run("atvgnet", "report")
        page = (folder / "reports/index.html").read_text(encoding="utf-8")
        assert f"{STUDIES['landmark_noise'].title}: numbers of landmark_noise.csv" in page
    finally:
        reproduced.run("git", "restore", ".")
