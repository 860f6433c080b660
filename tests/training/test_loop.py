"""The training loop: files, determinism, restarts, divergence, early stopping."""

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.bundles.networks import load_model
from pipeline.models.atnet import AtNet
from pipeline.models.vgnet import VgNet
from pipeline.runtime.errors import PipelineError
from pipeline.training.atnet import AtBatch, AtNetTask
from pipeline.training.data import training_windows
from pipeline.training.loop import train
from tests.training.runs import AT, FILES, TRAIN, VAL, Interrupt, Recorder, outs, run
from tests.training.synthetic import DrawnClips


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of uninterrupted trainings, by network."""
    files = {}
    for name in ("atnet", "vgnet"):
        folder = tmp_path_factory.mktemp(name)
        run(name, folder)
        files[name] = outs(folder)
    return files


@pytest.mark.parametrize("name", ["atnet", "vgnet"])
def test_equal_trainings_write_equal_bytes(name: str, whole: dict[str, dict[str, bytes]], tmp_path: Path) -> None:
    run(name, tmp_path)
    assert outs(tmp_path) == whole[name]


@pytest.mark.parametrize("name", ["atnet", "vgnet"])
def test_files_and_callbacks(name: str, tmp_path: Path) -> None:
    recorder = Recorder()
    summary = run(name, tmp_path, (recorder,))
    assert list(outs(tmp_path)) == FILES[name]
    assert [path.name for path in (tmp_path / "resume").iterdir()] == ["finished.json"]  # done: nothing to resume
    steps = [3, 6, 9] if name == "atnet" else [2, 4, 6]
    with (tmp_path / "out" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == steps == recorder.steps
    criterion = "val.loss" if name == "atnet" else "val.pixel"
    best = min(rows, key=lambda row: float(row[criterion]))
    assert summary["step"] == int(best["step"])
    assert summary[criterion] == pytest.approx(float(best[criterion]), rel=1e-5)
    assert [step for step, _, _ in recorder.pictures] == steps
    assert recorder.ended == [(steps[-1], summary)]
    model, meta = load_model(tmp_path / "out", "model")
    assert isinstance(model, AtNet if name == "atnet" else VgNet)
    assert model.arguments["width"] == 8
    assert (meta["seed"], meta["step"]) == (0, summary["step"])


@pytest.mark.parametrize("name", ["atnet", "vgnet"])
def test_number_of_cores_changes_no_byte(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    for cores in (1, 2):
        torch.set_num_threads(cores)
        run(name, tmp_path / str(cores))
    torch.set_num_threads(1)
    assert outs(tmp_path / "1") == outs(tmp_path / "2")


def history(folder: Path) -> list[str]:
    path = folder / "out" / "history.csv"
    return path.read_text().splitlines()[1:] if path.exists() else []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["atnet", "vgnet"])
def test_killed_and_restarted_training_writes_the_same_bytes(
    name: str, whole: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    """The process is killed with SIGKILL some time after its first checkpoint; another one ends the training."""
    code = (
        "import sys; from pathlib import Path; from tests.training.runs import run; run(sys.argv[1], Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, name, str(tmp_path / "killed")]
    for kill in (1, None):
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"})
        if kill:
            while len(history(tmp_path / "killed")) < kill and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        process.wait()
    assert outs(tmp_path / "killed") == whole[name]
    assert [path.name for path in (tmp_path / "killed" / "resume").iterdir()] == ["finished.json"]


@pytest.mark.parametrize("name", ["atnet", "vgnet"])
def test_resumed_training_replays_its_curve_and_writes_the_same_bytes(
    name: str, whole: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(name, tmp_path / "broken", (Interrupt(4),))
    recorder = Recorder()
    run(name, tmp_path / "broken", (recorder,))
    assert recorder.steps == ([3, 6, 9] if name == "atnet" else [2, 4, 6])
    assert len(recorder.pictures) < len(recorder.steps)
    assert outs(tmp_path / "broken") == whole[name]


def test_other_params_do_not_resume(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("atnet", tmp_path, (Interrupt(4),))
    run("atnet", tmp_path, lr=2e-3)
    run("atnet", tmp_path / "alone", lr=2e-3)
    assert outs(tmp_path) == outs(tmp_path / "alone")


class Poisoned(DrawnClips):
    """Clip 2 has no number for its mouth."""

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        return super().coefficients(clip) * (np.float32(np.nan) if clip == 2 else 1)


def test_divergence_names_the_step_and_gives_advice(tmp_path: Path) -> None:
    params = replace(AT, batch=1, validate_every=1, steps=8)
    bad = next(step for step in range(3) if training_windows([24] * 3, 4, 1, 5, step)[0].clip == 2)
    assert bad > 0, "a seed is wanted under which clip 2 does not come first"
    message = rf"failed at step {bad + 1}: the loss `loss` is nan\. Lower the learning rate .* begins at step 0"
    with pytest.raises(PipelineError, match=message):
        train(AtNetTask(Poisoned(3), VAL, params, 5), tmp_path / "out", tmp_path / "resume")


class BadStep(AtNetTask):
    """Its second step leaves a weight that is not a number, which no loss has seen yet."""

    def step(self, batch: AtBatch) -> dict[str, Tensor]:
        losses = super().step(batch)
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps == 2:
            next(self.network.parameters()).data[0] = float("nan")
        return losses


def test_weights_that_are_not_numbers_are_not_saved(tmp_path: Path) -> None:
    params = replace(AT, validate_every=1)
    with pytest.raises(PipelineError, match="failed at step 2: a weight of atnet is not a finite number"):
        train(BadStep(TRAIN, VAL, params, 0), tmp_path / "out", tmp_path / "resume")
    assert [path.name[:8] for path in (tmp_path / "resume").rglob("*.pt")] == ["00000001"]


def test_validation_that_is_not_a_number_ends_the_training(tmp_path: Path) -> None:
    """As when the EMA holds one that the raw weights have left behind."""
    with pytest.raises(PipelineError, match="failed at step 3: the validation's `loss` is nan"):
        train(AtNetTask(TRAIN, Poisoned(3), AT, 0), tmp_path / "out", tmp_path / "resume")


def test_early_stopping_and_kept_weights(tmp_path: Path) -> None:
    recorder = Recorder()
    summary = run("atnet", tmp_path, (recorder,), lr=0.3, early_stopping=2, steps=90, validate_every=1, grad_clip=0.1)
    assert recorder.steps[-1] == summary["step"] + 2 < 90
    last = run(
        "atnet", tmp_path / "last", lr=0.3, early_stopping=2, steps=90, validate_every=1, grad_clip=0.1, keep="last"
    )
    assert last["step"] == recorder.steps[-1]


def test_epochs_count_passes(tmp_path: Path) -> None:
    recorder = Recorder()
    run("atnet", tmp_path, (recorder,), epochs=2, steps=1)
    assert recorder.steps[-1] == 3  # two passes over 3 clips, 2 a step
