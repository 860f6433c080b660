"""A real DVC project of three little stages that use the tracking."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import is_forkable, run_forked

LIBRARY = Path(__file__).parents[2]

STAGES = {
    "prepare": """
        params, run = begin("prepare", ["seed", "prepare"])
        with run:
            Path("data").mkdir(exist_ok=True)
            Path("data/numbers.txt").write_text("7 " * params["prepare"]["count"])
    """,
    "train": """
        import signal
        import numpy as np
        params, run = begin("train", ["seed", "train"])
        with run as current:
            callback = current.callback()
            for step in range(50):
                callback.metrics(step, {"loss": params["train"]["lr"] / (step + 1)})
            callback.picture(49, "strip", np.full((8, 16, 3), 99, np.uint8))
            if params["train"]["end"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            import torch
            from pipeline.models.atnet import AtNet
            from pipeline.bundles.network_files import save_model
            folder = Path("models/atnet")
            torch.manual_seed(params["seed"])
            save_model(folder, "model", AtNet(width=4), params["train"])
            example = {"reference_BK": np.zeros((1, 6), "f4"), "windows_BT1RC": np.zeros((1, 2, 1, 28, 12), "f4")}
            current.model(folder, example, "atvgnet-atnet")
    """,
    "evaluate": """
        import json
        params, run = begin("evaluate", ["seed", "evaluate"])
        with run as current:
            card = json.loads(Path("models/atnet/model.json").read_text())
            metrics = {"at_vg": {"lmd": card["meta"]["lr"] + params["evaluate"]["more"]}}
            Path("metrics.json").write_text(json.dumps(metrics))
            current.artifact(Path("metrics.json"), "report")
            lmd = metrics["at_vg"]["lmd"]
            judgement = tracking.Judgement("at_vg.lmd", lmd, "numbers", "clips", whole=True, partner="vgnet")
            current.finish(metrics, {"atvgnet-atnet": judgement})
    """,
    "wait": """
        import time
        import numpy as np
        params, run = begin("wait", ["seed"])
        with run as current:
            current.callback().metrics(0, {"loss": 2.0})
            while not Path("go").exists():
                time.sleep(0.1)
            began = time.monotonic()
            current.callback().metrics(1, {"loss": 1.0})
            current.picture("face", np.zeros((2, 2, 3), np.uint8))
            took = time.monotonic() - began
        print(took)
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

PARAMS = "seed: 0\nprepare: {count: 3}\ntrain: {lr: 0.5, end: well}\nevaluate: {more: 0.0}\n"

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
    params: [seed, evaluate]
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
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # a queue starts `dvc` itself
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
        """Run a command in the project, in a fork if possible; its output is both streams."""
        everything = {**self.environment, **environment}
        if is_forkable(words):
            result = run_forked(words, self.folder, everything)
        else:
            result = subprocess.run(
                words,
                cwd=self.folder,
                env=everything,
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

        uri = f"sqlite:///{self.folder / 'mlflow.db'}"
        return MlflowClient(uri, registry_uri=uri)

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
    """A project made once per module; its tests run in order and build on each other."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.make()
    return made
