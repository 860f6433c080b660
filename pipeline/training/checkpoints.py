"""All that a training has come to, on disk, so that a killed one goes on as if nothing had been.

A checkpoint is one file, `STEP-DIGEST.pt`: written beside its place and renamed, so it is there whole or not at all,
and named after the digest of its bytes, so that damage shows. Trainings with other params or other data keep theirs in
folders of their own.
"""

import hashlib
import logging
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from pipeline.runtime.files import writing
from pipeline.runtime.paths import StrPath

log = logging.getLogger(__name__)

KEEP = 2
"""Checkpoints kept: the last, and the one before it should the last be damaged."""


class Checkpoints:
    """The checkpoints of one training in `folder`, told from others' by `identity`, the hash of params and data."""

    def __init__(self, folder: StrPath, identity: str) -> None:
        folder = Path(folder)
        self.identity = identity
        self.folder = folder / identity[:16]

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the state after `step` steps (tensors, numbers, text, and lists and dicts of them); drop the oldest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with writing(self.folder) as unfinished:
            with unfinished.open("wb") as file:
                try:
                    torch.save({"identity": self.identity, "step": step, "state": state}, file)
                except RuntimeError as error:  # what torch makes of a full disk
                    raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / f"{step:08d}-{_digest(unfinished)}.pt")
        self.prune(KEEP)

    def load(self) -> dict[str, Any] | None:
        """The newest state that can be trusted; refused ones are warned of and removed. None when there is none."""
        for path in self._files():
            state, fault = self._read(path)
            if state is not None:
                return state
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

    def _read(self, path: Path) -> tuple[dict[str, Any] | None, str]:
        if path.stem.rpartition("-")[2] != _digest(path):
            return None, "it is damaged, or was not written by this training"
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            if content["identity"] != self.identity:
                return None, "it belongs to a training with other params or data"
            state: dict[str, Any] = content["state"]
        except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
            return None, f"it is not a checkpoint ({error})"
        return state, ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
