"""A real DVC project of three little stages that use the tracking."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LIBRARY = Path(__file__).parents[2]

STAGES = {
    "prepare": """
        params, run = begin("prepare", ["seed", "prepare"])
        with run:
            Path("data").mkdir(exist_ok=True)
            Path("data/numbers.txt").write_text("7 " * params["prepare"]["count"])
    """,
    "train": """
        import signal, time
        import numpy as np
        params, run = begin("train", ["seed", "train"])
        with run as current:
            listener = current.listener()
            for step in range(50):
                listener.metrics(step, {"loss": params["train"]["lr"] / (step + 1)})
            listener.picture(49, "strip", np.full((8, 16, 3), 99, np.uint8))
            Path("models").mkdir(exist_ok=True)
            Path("models/model.txt").write_text(str(params["train"]["lr"]))
            if params["train"]["end"] == "error":
                raise ValueError("the loss is no number")
            if params["train"]["end"] == "kill":
                time.sleep(2)
                os.kill(os.getpid(), signal.SIGKILL)
    """,
    "evaluate": """
        import json
        params, run = begin("evaluate", ["seed"])
        with run as current:
            metrics = {"at_vg": {"lmd": float(Path("models/model.txt").read_text())}}
            Path("metrics.json").write_text(json.dumps(metrics))
            current.artifact(Path("metrics.json"), "report")
            current.finish(metrics, best={}, judged_on="numbers")
    """,
}

BEGIN = """
import os, sys
from pathlib import Path
import yaml
from pipeline import tracking

def begin(name, uses):
    params = yaml.safe_load(Path("params.yaml").read_text())
    return params, tracking.stage(name, params, uses)
"""

PARAMS = "seed: 0\nprepare: {count: 3}\ntrain: {lr: 0.5, end: well}\n"

DVC_YAML = """
stages:
  prepare:
    cmd: PYTHON prepare.py
    deps: [prepare.py]
    params: [seed, prepare]
    outs: [data]
  train:
    cmd: PYTHON train.py
    deps: [train.py, data]
    params: [seed, train]
    outs: [models]
  evaluate:
    cmd: PYTHON evaluate.py
    deps: [evaluate.py, models]
    params: [seed]
    metrics: [metrics.json]
"""

IDENTITY = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Project:
    """A DVC project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_"))},
            **IDENTITY,
            "PYTHONPATH": str(LIBRARY),
            "DVC_NO_ANALYTICS": "1",
        }

    def make(self) -> None:
        """Write the stages and commit them."""
        for name, code in STAGES.items():
            body = "\n".join(line[8:] for line in code.splitlines())
            (self.folder / f"{name}.py").write_text(f"from begin import *\n{body}")
        (self.folder / "begin.py").write_text(BEGIN)
        (self.folder / "params.yaml").write_text(PARAMS)
        (self.folder / "dvc.yaml").write_text(DVC_YAML.replace("PYTHON", sys.executable))
        (self.folder / ".gitignore").write_text("mlflow.db\nmlartifacts\n__pycache__\n/data\n/models\n/metrics.json\n")
        (self.folder / ".dvcignore").write_text("__pycache__\n")
        self.run("git", "init", "-q", "-b", "main")
        self.dvc("init", "-q")
        self.run("git", "add", ".")
        self.run("git", "commit", "-q", "-m", "stages")

    def run(self, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; its output is both streams."""
        result = subprocess.run(
            words,
            cwd=self.folder,
            env={**self.environment, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        assert not check or result.returncode == 0, result.stdout
        return result

    def dvc(self, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run DVC's command line."""
        return self.run(sys.executable, "-m", "dvc", *words, check=check, **environment)

    def stage(self, name: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a stage by hand, without DVC."""
        return self.run(sys.executable, f"{name}.py", check=check, **environment)

    def client(self) -> Any:
        """A client of the project's own store, found as `mlflow ui` in the folder finds it."""
        from mlflow import MlflowClient

        return MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")

    def parents(self, client: Any = None) -> list[Any]:
        """Parent runs, oldest first."""
        return [run for run in all_runs(client or self.client()) if "mlflow.parentRunId" not in run.data.tags]

    def children(self, parent: Any, client: Any = None) -> dict[str, Any]:
        """The stages' runs under a parent, by stage."""
        return {
            run.data.tags["dvc.stage"]: run
            for run in all_runs(client or self.client())
            if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id
        }


def all_runs(client: Any) -> list[Any]:
    """Every run of a store, oldest first."""
    experiment = client.get_experiment_by_name("atvgnet")
    runs = client.search_runs([experiment.experiment_id], max_results=1000) if experiment else []
    return sorted(runs, key=lambda run: run.info.start_time)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that is made once a module; its tests run in order and build on each other."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.make()
    return made
