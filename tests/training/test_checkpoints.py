import logging
from pathlib import Path

import pytest
import torch

from pipeline.training.checkpoints import Checkpoints


def newest(checkpoints: Checkpoints) -> Path:
    return max(checkpoints.folder.glob("*.pt"))


def test_the_newest_state_comes_back(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "a" * 64)
    assert checkpoints.load() is None
    for step in (5, 10, 15):
        checkpoints.save(step, {"weights": torch.full((3,), float(step)), "history": [(step, {"loss": 0.1})]})
    state = checkpoints.load()
    assert state is not None
    assert torch.equal(state["weights"], torch.full((3,), 15.0))
    assert state["history"] == [(15, {"loss": 0.1})]
    assert len(list(tmp_path.rglob("*.*"))) == 2
    checkpoints.prune(0)
    assert checkpoints.load() is None


@pytest.mark.parametrize("damage", ["torn", "flipped", "garbage"])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_used(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(tmp_path, "a" * 64)
    checkpoints.save(5, {"step": 5})
    checkpoints.save(10, {"step": 10})
    path = newest(checkpoints)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"torn": bytes(content[:100]), "flipped": bytes(content), "garbage": b"nothing"}[damage])
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load() == {"step": 5}
    assert f"{path} is refused: it is damaged" in caplog.text


def test_a_foreign_checkpoint_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    theirs, ours = Checkpoints(tmp_path, "b" * 64), Checkpoints(tmp_path, "a" * 64)
    theirs.save(99, {"step": 99})
    assert ours.load() is None  # it lies in a folder of its own
    ours.save(5, {"step": 5})
    newest(theirs).rename(ours.folder / newest(theirs).name)
    with caplog.at_level(logging.WARNING):
        assert ours.load() == {"step": 5}
    assert "it belongs to a training with other params or data" in caplog.text


def test_an_unfinished_file_is_no_checkpoint(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "a" * 64)
    checkpoints.save(5, {"step": 5})
    (checkpoints.folder / "123.part").write_bytes(b"half a checkpoint")
    assert checkpoints.load() == {"step": 5}
