"""A project that is moved, renamed or copied keeps its runs, artifacts and models together, and writes nowhere else."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from pipeline.tracking.moved import follow
from tests.commands import run_forked
from tests.tracking.conftest import LIBRARY

pytestmark = pytest.mark.slow

WORK = """if True:
    import sys
    from pathlib import Path
    import numpy as np
    from pipeline import tracking
    from pipeline.bundles.network_files import save_model
    from pipeline.models.vgnet import VgNet
    Path("note.txt").write_text(sys.argv[1])
    save_model(Path("vgnet"), "model", VgNet(width=1), {})
    shapes = {"image_BCHW": (1, 3, 128, 128), "reference_landmarks_BL": (1, 136), "landmarks_BTL": (1, 1, 136)}
    example = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    with tracking.stage("train_vgnet", {"corpus": "sample"}) as run:
        run.artifact(Path("note.txt"))
        run.model(Path("vgnet"), example, "atvgnet-vgnet")
        run.finish({}, {"atvgnet-vgnet": tracking.Judgement("vg_gt.lmd", float(sys.argv[2]), "sample", "c", True)})
"""
READ = """if True:
    import mlflow
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    client = mlflow.MlflowClient()
    for run in client.search_runs(["1"], order_by=["start_time"]):
        for entry in client.list_artifacts(run.info.run_id):
            if entry.path == "note.txt":
                print(open(client.download_artifacts(run.info.run_id, entry.path)).read())
    print(mlflow.pyfunc.load_model("models:/atvgnet-vgnet@best").metadata.run_id)
"""
PAGES = "from pipeline.tracking.pages import where_to_look; print(*where_to_look(), sep='\\n')"
COLUMNS = {"experiments": "artifact_location", "runs": "artifact_uri", "logged_models": "artifact_location",
           "model_versions": "storage_location"}  # fmt: skip


def run(folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python program in a project's folder, in a process of its own, which is forked."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_"))}
    command, environment = [sys.executable, "-c", program, *words], {**kept, "PYTHONPATH": str(LIBRARY)}
    done = run_forked(command, folder, environment, apart=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run and a model. It stays as it is: tests copy it."""
    folder = tmp_path_factory.mktemp("original") / "old"
    folder.mkdir()
    assert "tracking:" not in run(folder, WORK, "first", "2.0").stderr
    return folder


def paths(database: Path) -> list[Path]:
    """All paths of a database but that of the experiment Default."""
    with sqlite3.connect(database) as connection:
        found = [row[0] for table, column in COLUMNS.items()
                 for row in connection.execute(f"SELECT {column} FROM {table}")]  # fmt: skip
    return [Path(unquote(one.removeprefix("file://"))) for one in found if "mlruns" not in one]


def at_home(made: Path, folder: Path) -> Path:
    """A project that was made in `folder`: the original, moved there and put right."""
    shutil.copytree(made, folder)
    follow(f"sqlite:///{folder}/mlflow.db", folder)
    return folder


def test_a_moved_project_goes_on_where_it_is(made: Path, tmp_path: Path) -> None:
    old, new = at_home(made, tmp_path / "old"), tmp_path / "renamed to 50% #2 ü"
    old.rename(new)
    said = run(new, WORK, "second", "1.0").stderr.splitlines()
    assert [line for line in said if line.startswith("tracking:")] == [
        f"tracking: this project was in {old} when its runs were written to sqlite:///{new}/mlflow.db. Their files, "
        f"and those of new runs, are in {new}/mlartifacts from now on."
    ]
    assert not old.exists()
    assert all(path.is_relative_to(new / "mlartifacts") for path in paths(new / "mlflow.db"))
    *notes, best = run(new, READ).stdout.split()
    assert notes == ["first", "second"]
    assert best
    assert "tracking:" not in run(new, PAGES).stderr  # it is said once


def test_a_copy_leaves_the_original_alone(made: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    shutil.copytree(made, tmp_path / "copy")
    assert f"this project was in {made} when" in run(tmp_path / "copy", WORK, "second", "1.0").stderr
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before
    shutil.move(made / "mlartifacts", tmp_path / "away")
    try:
        assert run(tmp_path / "copy", READ).stdout.split()[:-1] == ["first", "second"]
    finally:
        shutil.move(tmp_path / "away", made / "mlartifacts")


def test_one_command_mends_a_moved_project_before_any_stage_runs(made: Path, tmp_path: Path) -> None:
    """That command is `atvgnet report`."""
    old, new = at_home(made, tmp_path / "old"), tmp_path / "new"
    old.rename(new)
    done = run(new, PAGES)
    assert "this project was in" in done.stderr
    assert "http://127.0.0.1:5000/#/experiments/1?workflowType=machine_learning" in done.stdout
    assert all(path.exists() and path.is_relative_to(new) for path in paths(new / "mlflow.db"))


@pytest.mark.parametrize("name", ["new", "sub/older/old", "with ümlauts #1 50%", "old/inside"])
def test_wherever_it_goes(made: Path, tmp_path: Path, name: str) -> None:
    old, new = at_home(made, tmp_path / "old"), tmp_path / name
    shutil.copytree(old, tmp_path / "between")
    if "inside" not in name:
        shutil.rmtree(old)
    new.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "between").rename(new)
    assert follow(f"sqlite:///{new}/mlflow.db", new) == [old]
    assert all(path.exists() and path.is_relative_to(new) for path in paths(new / "mlflow.db"))
    assert follow(f"sqlite:///{new}/mlflow.db", new) == []


def test_a_copy_without_artifacts_writes_its_own(made: Path, tmp_path: Path) -> None:
    """Runs whose files are in the original alone go on showing them."""
    shutil.copy(made / "mlflow.db", tmp_path)
    assert follow(f"sqlite:///{tmp_path}/mlflow.db", tmp_path) == [made]
    experiment, *others = paths(tmp_path / "mlflow.db")
    assert experiment == tmp_path / "mlartifacts/atvgnet"
    assert all(path.exists() for path in others)


def test_files_that_were_written_to_the_earlier_place_are_still_found(made: Path, tmp_path: Path) -> None:
    old, new = at_home(made, tmp_path / "old"), tmp_path / "new"
    shutil.copytree(old, new)
    (kept,) = {path for path in paths(old / "mlflow.db") if path.name == "artifacts" and (path / "note.txt").exists()}
    shutil.rmtree(new / kept.relative_to(old))
    (old / "mlflow.db").unlink()
    assert follow(f"sqlite:///{new}/mlflow.db", new) == [old]
    found = paths(new / "mlflow.db")
    assert kept in found
    assert all(path.exists() for path in found)


def test_artifacts_that_are_kept_elsewhere_on_purpose_stay_there(made: Path, tmp_path: Path) -> None:
    old, disk = at_home(made, tmp_path / "old"), tmp_path / "disk"
    disk.mkdir()
    (old / "mlartifacts").rename(disk / "mlartifacts")
    with sqlite3.connect(old / "mlflow.db") as connection:
        for table, column in COLUMNS.items():
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, '{old}', '{disk}')")
    before = paths(old / "mlflow.db")
    assert follow(f"sqlite:///{old}/mlflow.db", old) == []
    assert paths(old / "mlflow.db") == before


def test_a_database_of_several_projects_is_left_as_it_is(made: Path, tmp_path: Path) -> None:
    """Unless the project whose artifacts it names is gone and they are here."""
    old, database = at_home(made, tmp_path / "old"), tmp_path / "shared.db"
    (old / "mlflow.db").rename(database)
    (tmp_path / "another").mkdir()
    assert follow(f"sqlite:///{database}", tmp_path / "another") == []
    old.rename(tmp_path / "new")
    assert follow(f"sqlite:///{database}", tmp_path / "another") == []
    assert follow(f"sqlite:///{database}", tmp_path / "new") == [old]
    assert all(path.exists() for path in paths(database))


def test_a_database_that_is_none_yet(tmp_path: Path) -> None:
    for uri in (f"sqlite:///{tmp_path}/missing.db", f"sqlite:///{tmp_path}/empty.db", "http://127.0.0.1:1"):
        (tmp_path / "empty.db").touch()
        assert follow(uri, tmp_path) == []
    assert not (tmp_path / "missing.db").exists()
