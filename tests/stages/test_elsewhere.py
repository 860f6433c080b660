"""Trainings on several processes and on a bare machine, and what becomes of them in DVC and MLflow."""

import csv
import importlib.metadata
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.file import load_params
from pipeline.landmarks.pca import LandmarkModel
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.training.record import read_record
from tests.stages.conftest import Project

pytestmark = pytest.mark.slow

BARE = ("torch", "numpy", "pyarrow", "opencv-python-headless", "safetensors")
"""What a bare GPU machine has installed, beside what these need themselves."""

WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {absent}:
            return self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Without, sys.meta_path)
"""


def normal(package: str) -> str:
    return re.sub("[-_.]+", "-", package).lower()


def required(package: str, found: set[str]) -> set[str]:
    """The package and all that it needs, by their normal names."""
    name = normal(package)
    if name not in found:
        found.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another platform
            needed = []
        for line in needed:
            if "extra ==" not in line:
                required(re.split(r"[^\w.-]", line)[0], found)
    return found


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The start of a command that sees nothing of this environment but `BARE`."""
    there: set[str] = set()
    for package in BARE:
        required(package, there)
    absent = {"dlib"}  # its package does not say what it installs
    for module, packages in importlib.metadata.packages_distributions().items():
        if not {"atvgnet", *there} & {normal(package) for package in packages}:
            absent.add(module)
    assert {"dvc", "mlflow", "librosa", "yaml", "rich", "pandas", "scipy"} <= absent
    assert not {"torch", "numpy", "pyarrow", "cv2", "safetensors", "pipeline"} & absent
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(WITHOUT.format(absent=absent))
    return ["env", f"PYTHONPATH={folder}", "python", "-m"]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def box(project: Project, folder: Path) -> Project:
    """Another machine's folder, with what docs/training.md tells to copy there."""
    for name in ("pipeline", "data/faces", "data/mfcc", "models/landmarks"):
        shutil.copytree(project.folder / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "params.json").write_text(project.run("atvgnet", "params"))
    return Project(folder)


def test_a_bare_machine_writes_what_the_stage_writes(reproduced: Project, bare: list[str], tmp_path: Path) -> None:
    """Also as the one process of torchrun."""
    machine = box(reproduced, tmp_path)
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=1", "-m"]
    printed = machine.run(*bare, *torchrun, "pipeline.training", "atnet")
    assert files(tmp_path / "models/atnet") == files(reproduced.folder / "models/atnet")
    assert re.search(r"^atnet 6/6: val\.loss [\d.]+, val\.error [\d.]+$", printed, re.MULTILINE), printed
    (tmp_path / "params.json").unlink()
    missing = machine.run(*bare, "pipeline.training", "atnet", good=False)
    assert missing.startswith("atnet: params.json is missing. Write it with `atvgnet params > params.json`"), missing


def test_outs_from_elsewhere_are_committed_and_tracked(changing: Project, bare: list[str], tmp_path: Path) -> None:
    """VG-net from a bare machine, AT-net from two processes; then `dvc repro` has only to evaluate."""
    import mlflow

    store = f"sqlite:///{changing.folder}/mlflow.db"
    client = mlflow.MlflowClient(store, store)
    experiment = [client.get_experiment_by_name("atvgnet").experiment_id]  # type: ignore[union-attr]

    def runs(stage: str) -> list[Any]:
        return list(client.search_runs(experiment, f"tags.`dvc.stage` = '{stage}'", order_by=["start_time DESC"]))

    before = {stage: len(runs(stage)) for stage in ("train_atnet", "train_vgnet")}
    changing.change({"vgnet.lr": 0.0008, "atnet.lr": 0.0007, "evaluate.max_clips": 1})
    box(changing, tmp_path).run(*bare, "pipeline.training", "vgnet")
    shutil.copytree(tmp_path / "models/vgnet", changing.folder / "models/vgnet", dirs_exist_ok=True)
    changing.run("dvc", "commit", "-f", "train_vgnet")
    assert changing.stages_run_by("dvc", "repro", ATVGNET_PROCESSES="2") == ["train_atnet", "evaluate"]

    assert len(runs("train_atnet")) == before["train_atnet"] + 1
    shared = runs("train_atnet")[0]
    assert shared.info.status == "FINISHED"
    assert len(runs("train_vgnet")) == before["train_vgnet"] + 1
    adopted = runs("train_vgnet")[0]
    assert adopted.info.status == "FINISHED"
    assert adopted.data.params["vgnet.lr"] == "0.0008"
    assert "vgnet.lr" not in shared.data.params
    with (changing.folder / "models/vgnet/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("train.pixel", "val.psnr"):
        points = client.get_metric_history(adopted.info.run_id, name)
        assert [(point.step, point.value) for point in points] == [(int(r["step"]), float(r[name])) for r in rows]
    best = min(float(row["val.pixel"]) for row in rows)
    assert adopted.data.metrics["kept.val.pixel"] == pytest.approx(best, 1e-5)
    (version,) = client.search_model_versions(f"run_id = '{adopted.info.run_id}'")
    assert version.name == "atvgnet-vgnet"
    evaluated = client.get_run(runs("evaluate")[0].data.tags["mlflow.parentRunId"])
    assert evaluated.data.tags["stage.train_vgnet"] == adopted.info.run_id
    assert evaluated.data.tags["stage.train_atnet"] == shared.info.run_id


def test_a_network_that_was_trained_otherwise_is_no_longer_the_projects(
    reproduced: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which `dvc commit` would not notice, so the stage evaluate asks."""
    box(reproduced, tmp_path)
    shutil.copytree(reproduced.folder / "models/vgnet", tmp_path / "models/vgnet")
    monkeypatch.chdir(tmp_path)
    params = load_params(tmp_path / "params.json")
    record = read_record("vgnet", params)
    assert list(record.curves) == [2, 4]
    assert record.summary["step"] in (2, 4)
    other = replace(params, seed=7, vgnet=replace(params.vgnet, lr=0.5))
    said = (
        r"models/vgnet was not trained with .*: vgnet\.lr was 0\.0006 and is 0\.5; seed was 0 and is 7\. Put that back"
    )
    with pytest.raises(PipelineError, match=said):
        read_record("vgnet", other)
    model = LandmarkModel.load(paths.LANDMARKS_MODEL)
    replace(model, mean=model.mean + 1).save(paths.LANDMARKS_MODEL)
    with pytest.raises(
        PipelineError, match=r"the clips or their landmarks were others\. Put that back, or train again"
    ):
        read_record("vgnet", params)
