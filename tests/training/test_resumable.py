"""A finished training is extended, or made again."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.training import LoopParams
from pipeline.training.atnet import AtNetTask
from pipeline.training.callbacks import Callback
from pipeline.training.loop import train
from pipeline.training.vgnet import VgNetTask
from tests.training.runs import AT, TRAIN, VAL, VG, Interrupt, outs

PARAMS: dict[str, LoopParams] = {"atnet": AT, "vgnet": VG}


class Made(Callback):
    """Notes which steps were made, of those that are told."""

    def __init__(self) -> None:
        self.first = 0

    def progress(self, step: int, loss: float) -> None:
        self.first = self.first or step


def run(name: str, folder: Path, callback: Callback | None = None, **changes: Any) -> None:
    params: Any = replace(PARAMS[name], **{"schedule": "constant", **changes})
    task = AtNetTask if name == "atnet" else VgNetTask
    train(task(TRAIN, VAL, params, 0), folder / "out", folder / "resume", [callback] if callback else [])


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The outs of ten steps at once, by network."""
    folders = {name: tmp_path_factory.mktemp(name) for name in PARAMS}
    for name, folder in folders.items():
        run(name, folder, steps=10, validate_every=2)
    return {name: outs(folder) for name, folder in folders.items()}


@pytest.mark.parametrize("name", ["atnet", "vgnet"])
@pytest.mark.parametrize("first", [4, 6, 7])  # 7 ends, and is validated, out of turn
def test_extended_training_equals_a_longer_one(
    name: str, first: int, longer: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    made = Made()
    run(name, tmp_path, steps=first, validate_every=2)
    run(name, tmp_path, made, steps=10, validate_every=2)
    assert made.first == first // 2 * 2 + 2
    assert outs(tmp_path) == longer[name]


@pytest.mark.parametrize("steps", [9, 6])
def test_equal_or_fewer_steps_train_again(steps: int, tmp_path: Path) -> None:
    run("atnet", tmp_path, steps=9)
    made = Made()
    run("atnet", tmp_path, made, steps=steps)
    run("atnet", tmp_path / "alone", steps=steps)
    assert made.first == 3
    assert outs(tmp_path) == outs(tmp_path / "alone")


def test_killed_extension_resumes(tmp_path: Path) -> None:
    run("atnet", tmp_path, steps=9)
    with pytest.raises(KeyboardInterrupt):
        run("atnet", tmp_path, Interrupt(4), steps=9)
    made = Made()
    run("atnet", tmp_path, made, steps=9)
    assert made.first == 6


def test_cosine_schedule_starts_over_with_advice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run("atnet", tmp_path, schedule="cosine", steps=6)
    made = Made()
    with caplog.at_level(logging.WARNING):
        run("atnet", tmp_path, made, schedule="cosine", steps=9)
    assert (
        "atnet was finished with 6 steps and starts over: its learning rates depend on the number of steps."
        in caplog.text
    )
    run("atnet", tmp_path / "alone", schedule="cosine", steps=9)
    assert made.first == 3
    assert outs(tmp_path) == outs(tmp_path / "alone")


def test_one_finished_training_keeps_one_checkpoint(tmp_path: Path) -> None:
    trainings: list[dict[str, Any]] = [{"lr": 1e-3}, {"lr": 2e-3}, {"lr": 3e-3, "steps": 12}]
    for changes in trainings:
        run("atnet", tmp_path, **changes)
        assert len(list((tmp_path / "resume").rglob("*.pt"))) == 1
    with pytest.raises(KeyboardInterrupt):
        run("atnet", tmp_path, Interrupt(4), lr=5e-3)
    run("atnet", tmp_path, schedule="cosine")
    assert [path.name[:8] for path in (tmp_path / "resume").rglob("*.pt")] == ["00000003"]  # of the one that was killed
