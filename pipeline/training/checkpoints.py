"""Checkpoints: a killed training continues exactly, and a finished one can be extended.

A checkpoint is one file, `STEP-DIGEST.pt`, whose name holds a digest of its bytes. Each combination of parameters and
data has its own folder.
"""

import hashlib
import json
import logging
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from pipeline.runtime.files import replacing, writing
from pipeline.runtime.paths import StrPath

log = logging.getLogger(__name__)

KEPT_CHECKPOINTS = 2  # the last one, and the one before in case the last is damaged
FINISHED_NOTE = "finished.json"  # the training that was finished last, its steps, and its folder of checkpoints


class Checkpoints:
    """The checkpoints, in `folder`, of the training with the hash `identity`."""

    def __init__(self, folder: StrPath, identity: str) -> None:
        self.identity = identity
        self.folder = Path(folder) / identity[:16]

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the state after `step` steps (tensors, numbers, text, and lists and dicts of them); drop the oldest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with writing(self.folder) as unfinished:
            with unfinished.open("wb") as file:
                try:
                    torch.save({"identity": self.identity, "step": step, "state": state}, file)
                except RuntimeError as error:  # torch hides the OSError of a full disk
                    raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / f"{step:08d}-{_digest(unfinished)}.pt")
        self.prune(KEPT_CHECKPOINTS)

    def load(self) -> dict[str, Any] | None:
        """The newest valid state, or None. Invalid files are reported and removed."""
        for path in self._files():
            fault = "it is damaged, or was not written by this training"
            if path.stem.rpartition("-")[2] == _digest(path):
                try:
                    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
                    if content["identity"] == self.identity:
                        return dict(content["state"])
                    fault = "it belongs to a training with other params or data"
                except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
                    fault = f"it is not a checkpoint ({error})"
            log.warning("Checkpoint %s is refused: %s. An older one is used, or training starts again.", path, fault)
            path.unlink()
        return None

    def prune(self, keep: int) -> None:
        """Remove all but the newest `keep`."""
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        for old in self._files()[keep:]:
            old.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.pt"), reverse=True)


class Resumable:
    """The checkpoints of one training of `steps` steps.

    `training` is the hash of everything that defines the training of the network `name` except `steps`. If `extends`,
    a finished training keeps its last checkpoint, and more steps extend it. This needs a constant schedule: with a
    cosine, every learning rate depends on the number of steps.
    """

    def __init__(self, folder: StrPath, name: str, training: str, steps: int, *, extends: bool) -> None:
        self.folder, self.name, self.training, self.steps, self.extends = Path(folder), name, training, steps, extends
        whole = hashlib.sha256(f"{training} {steps}".encode()).hexdigest()
        self.checkpoints = Checkpoints(folder, training if extends else whole)

    def load(self) -> dict[str, Any] | None:
        """The state to resume from: of this training if it was killed, or of a shorter one that was finished.

        None to start from scratch, also if exactly these steps, or more, were finished.
        """
        finished, saved = self._finished(), self.checkpoints.load()
        before = finished.get("steps", 0) if finished.get("training") == self.training else 0
        if self.extends and before:
            (self.folder / FINISHED_NOTE).unlink()  # it is running again, so no other training may remove it
        if self.extends and saved is not None and (before == self.steps or saved["state"]["step"] > self.steps):
            self.checkpoints.prune(0)
            return None
        if not self.extends and saved is None and 0 < before < self.steps:
            log.warning(
                "%s was finished with %d steps and starts over: its learning rates depend on the number of steps. With "
                "`schedule: constant` more steps extend a training; `init` starts from the weights of a finished one.",
                self.name,
                before,
            )
        return saved

    def finish(self) -> None:
        """Keep the last checkpoint if it can be extended, and remove those of the training that was finished before."""
        other = self._finished().get("checkpoints")
        if other and other != self.checkpoints.folder.name:
            shutil.rmtree(self.folder / other, ignore_errors=True)
        self.checkpoints.prune(1 if self.extends else 0)
        kept = self.checkpoints.folder.name if self.extends else ""
        note = {"training": self.training, "steps": self.steps, "checkpoints": kept}
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / FINISHED_NOTE) as unfinished:
            unfinished.write_text(json.dumps(note) + "\n", encoding="utf-8")

    def _finished(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / FINISHED_NOTE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
