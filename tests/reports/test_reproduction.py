"""Messages about outs that differ from the committed ones."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.reports.reproduction import check_reproduction

LOCK: dict[str, Any] = {
    "schema": "2.0",
    "stages": {
        "mfcc": {
            "cmd": "python -m stages.mfcc",
            "deps": [{"path": "pipeline/speech", "md5": "a"}],
            "params": {"params.yaml": {"mfcc": {"window": 0.025}}},
            "outs": [{"path": "data/mfcc", "md5": "b"}],
        },
        "train_atnet": {
            "cmd": "python -m stages.train_atnet",
            "deps": [{"path": "data/mfcc", "md5": "b"}],
            "outs": [{"path": "models/atnet", "md5": "c"}],
        },
    },
}


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lock = tmp_path / "dvc.lock"
    lock.write_text(yaml.safe_dump(LOCK))
    who = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "lock"]):
        subprocess.run(["git", *command], check=True)
    return lock


def change(lock: Path, *changes: tuple[str, str]) -> None:
    text = lock.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    lock.write_text(text)


def test_equal_outs_need_no_message(committed: Path) -> None:
    assert check_reproduction() == []


def test_trained_outs_may_differ(committed: Path) -> None:
    change(committed, ("md5: c", "md5: other"))
    (line,) = check_reproduction()
    assert line.startswith("Other bytes than committed: models/atnet. Training may end in other last bits")


def test_other_outs_need_advice(committed: Path) -> None:
    change(committed, ("md5: b", "md5: other"), ("md5: c", "md5: another"))
    first, second = check_reproduction()
    assert first.startswith("Other bytes than committed: data/mfcc. They should be the same on every machine")
    assert "`dvc repro --force`" in first
    assert "models/atnet. Training" in second


@pytest.mark.parametrize("meant", [("window: 0.025", "window: 0.05"), ("md5: a", "md5: edited")])
def test_changed_parameters_and_code_explain_changes(committed: Path, meant: tuple[str, str]) -> None:
    change(committed, ("md5: b", "md5: other"), meant)
    assert check_reproduction() == []


def test_without_git_or_lock_there_is_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_reproduction() == []
