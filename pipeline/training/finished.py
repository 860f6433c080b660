"""A finished training keeps its last checkpoint where more steps than before can go on from it.

They can with a constant schedule. With the cosine the learning rate of every step hangs on their number, so a training
that went on would end with other weights than the same params give elsewhere.
"""

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

from pipeline.runtime.files import replacing
from pipeline.runtime.paths import StrPath
from pipeline.training.checkpoints import Checkpoints

log = logging.getLogger(__name__)

NOTE = "finished.json"
"""Beside the folders of checkpoints: which training was finished last, its steps, and where its last one lies."""


class Resumable:
    """The checkpoints of one training of `steps` steps, killed or finished, in `folder`.

    `training` is the hash of all that makes it but the number of steps; `extends` says whether its steps are the same
    whatever their number.
    """

    def __init__(self, folder: StrPath, name: str, training: str, steps: int, *, extends: bool) -> None:
        self.folder, self.name, self.training, self.steps, self.extends = Path(folder), name, training, steps, extends
        whole = hashlib.sha256(f"{training} {steps}".encode()).hexdigest()
        self.checkpoints = Checkpoints(folder, training if extends else whole)

    def load(self) -> dict[str, Any] | None:
        """The state to go on from: of this training when it was killed, or of a shorter one when it was finished.

        None to start: also when these very steps were finished, which makes them again, or more were made.
        """
        finished, saved = self._finished(), self.checkpoints.load()
        before = finished.get("steps", 0) if finished.get("training") == self.training else 0
        if self.extends and before:
            (self.folder / NOTE).unlink()  # it is under way again, and nobody else's to remove
        if self.extends and saved is not None and (before == self.steps or saved["state"]["step"] > self.steps):
            self.checkpoints.prune(0)
            return None
        if not self.extends and saved is None and 0 < before < self.steps:
            log.warning(
                "%s was finished with %d steps and starts over: its learning rates hang on their number. With "
                "`schedule: constant` more steps extend a training; `init` starts from the weights of a finished one.",
                self.name,
                before,
            )
        return saved

    def finish(self) -> None:
        """Keep the last checkpoint, if it is of any use, and none of an earlier training that was finished."""
        other = self._finished().get("checkpoints")
        if other and other != self.checkpoints.folder.name:
            shutil.rmtree(self.folder / other, ignore_errors=True)
        self.checkpoints.prune(1 if self.extends else 0)
        kept = self.checkpoints.folder.name if self.extends else ""
        note = {"training": self.training, "steps": self.steps, "checkpoints": kept}
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / NOTE) as unfinished:
            unfinished.write_text(json.dumps(note) + "\n", encoding="utf-8")

    def _finished(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / NOTE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}
