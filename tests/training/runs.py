"""Short trainings on drawn clips, and callbacks, for the tests of this folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.training import AtNetParams, PictureAugmentation, VgNetParams
from pipeline.training.atnet import AtNetTask
from pipeline.training.callbacks import Callback
from pipeline.training.loop import train
from pipeline.training.vgnet import VgNetTask
from tests.training.synthetic import DrawnClips

AT = AtNetParams(width=8, steps=9, batch=2, frames=4, validate_every=3, warmup=2)
AUGMENT = PictureAugmentation(flip=0.5, shift=0.5, light=0.5, colour=0.5, blur=0.5, compression=0.5)
VG = VgNetParams(width=8, steps=6, batch=2, frames=3, validate_every=2, warmup=2, augment=AUGMENT)
TRAIN, VAL = DrawnClips(3), DrawnClips(2, seed=1)
FILES = {
    "atnet": ["history.csv", "model.json", "model.safetensors"],
    "vgnet": ["discriminator.json", "discriminator.safetensors", "history.csv", "model.json", "model.safetensors"],
}


def run(name: str, folder: Path, callbacks: tuple[Callback, ...] = (), **changes: Any) -> dict[str, float]:
    """Train into folder/out, resuming from folder/resume."""
    where = (folder / "out", folder / "resume", callbacks)
    if name == "atnet":
        return train(AtNetTask(TRAIN, VAL, replace(AT, **changes), 0), *where)
    return train(VgNetTask(TRAIN, VAL, replace(VG, **changes), 0), *where)


def outs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


class Recorder(Callback):
    """Records all events."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.pictures: list[tuple[int, str, tuple[int, ...]]] = []
        self.ended: list[tuple[int, dict[str, float]]] = []

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self.steps.append(step)

    def picture(self, step: int, name: str, image_HWC: np.ndarray) -> None:
        self.pictures.append((step, name, image_HWC.shape))

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        self.ended.append((step, dict(summary)))


class Interrupt(Callback):
    """Ends a training from within, at its validation after `step` steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def progress(self, step: int, loss: float) -> None:
        if step > self.step:
            raise KeyboardInterrupt
