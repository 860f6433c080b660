"""The stages extract and landmarks in this process: their outs, MLflow runs and messages."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.reports.terminal import print_report
from pipeline.runtime import paths
from stages import extract, landmarks
from stages.runner import run_stage
from tests.prepare.quality.conftest import DEFECTS, Judged
from tests.tracking.conftest import all_runs

pytestmark = pytest.mark.slow

FILES = {"clips.csv", "histograms.png", "quality.parquet", "rejected.jpg"}
SHIPPED = Path("params.yaml").resolve()


class Project:
    """A project folder after a run of both stages."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.params = yaml.safe_load(SHIPPED.read_text())
        self.params["corpus"] = "lrw"
        self.params["corpora"]["lrw"]["root"] = str(root)
        for section in ("extract", "landmarks"):
            self.params[section].update(shard_clips=8, max_lost=1.0)

    def run(self, stage: str, **changes: float) -> None:
        """Run a stage with changed params of its own section."""
        params = {**self.params, stage: {**self.params[stage], **changes}}
        Path("params.yaml").write_text(yaml.safe_dump(params))
        body = {"extract": extract.main, "landmarks": landmarks.main}[stage]
        run_stage(stage, body)

    def tracked(self, status: str) -> tuple[Any, set[str]]:
        """The latest stage's run, which ended with ``status``, and its artifacts' names."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")
        run = [run for run in all_runs(client) if "mlflow.parentRunId" in run.data.tags][-1]
        assert run.info.status == status
        top = [entry.path for entry in client.list_artifacts(run.info.run_id)]
        return run, {Path(entry.path).name for name in top for entry in client.list_artifacts(run.info.run_id, name)}


@pytest.fixture
def project(judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in [name for name in os.environ if name.startswith(("DVC_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ATVGNET_JOBS", "1")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(judged.folder / "clips", tmp_path / paths.CLIPS)
    shutil.copytree(judged.folder / "faces", tmp_path / paths.FACES)
    return Project(tmp_path, judged.root.parent)


def test_the_report_is_an_out_and_an_artifact(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.run("landmarks")
    assert {path.name for path in (project.folder / "data/quality").iterdir()} == FILES
    run, artifacts = project.tracked("FINISHED")
    assert artifacts >= FILES
    assert run.data.metrics["rejected"] == len(DEFECTS) - 1
    assert run.data.metrics["rejected_by.extract"] == 5
    assert 0 < run.data.metrics["median.jitter"] < 1
    assert run.data.params["landmarks.min_score"] == "0.5"
    (project.folder / "reports").mkdir()
    (project.folder / "reports/metrics.csv").write_text("method,group,metric\n")
    print_report(Path("reports"))
    told = " ".join(capsys.readouterr().out.split())
    assert "Clips: 26, 14 rejected (53.8%), shown in data/quality/rejected.jpg" in told


@pytest.mark.parametrize(
    ("stage", "table", "rejected", "reason"),
    [
        ("extract", paths.CLIPS / "manifest.parquet", "5 of 26", "1 x the file is empty (0 bytes)"),
        ("landmarks", paths.FACES / "index.parquet", "9 of 21", "3 x the mouth shows in too few frames"),
    ],
)
def test_a_failure_leaves_the_report(
    project: Project, capsys: pytest.CaptureFixture[str], stage: str, table: Path, rejected: str, reason: str
) -> None:
    before = table.read_bytes()
    with pytest.raises(SystemExit):
        project.run(stage, max_lost=0.1)
    said = capsys.readouterr().err
    folder = project.folder / f".dvc/tmp/rejected/{stage}"
    assert f"{rejected} clips are rejected, more than {stage}.max_lost = 0.1 allows:" in said
    assert reason in said
    assert f"The rejected clips: {folder / 'rejected.jpg'}" in said
    assert f"All metrics:        {folder / 'quality.parquet'}" in said
    assert {path.name for path in folder.iterdir()} == FILES
    assert table.read_bytes() == before
    assert not paths.QUALITY.exists()
    assert project.tracked("FAILED")[1] >= FILES
