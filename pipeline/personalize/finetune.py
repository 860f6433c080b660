"""How both networks of a bundle are fine-tuned on one person, in the time that there is."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from pipeline.config.file import build
from pipeline.config.training import AtNetParams, LoopParams, VgNetParams
from pipeline.faces.crop import crop_geometry
from pipeline.landmarks.pca import LandmarkModel
from pipeline.runtime.devices import training_threads
from pipeline.runtime.files import replacing
from pipeline.shards.clip_store import ClipStore
from pipeline.speech.features import SpeechFeatures
from pipeline.training.atnet import AtNetTask
from pipeline.training.callbacks import progress
from pipeline.training.data import StoreSource
from pipeline.training.loop import Task, train
from pipeline.training.start import open_start
from pipeline.training.vgnet import VgNetTask

ATNET_SHARE = 0.2
"""Of the time for training: AT-net's steps are short, and it is soon as good as so few clips make it."""
VALIDATIONS = 20
"""Of each training."""
LEAST_STEPS = 20
TIMED = 5
"""Steps by which the time of one is measured, after two that are not."""
RECIPES: dict[str, dict[str, Any]] = {
    "atnet": {"lr": 1e-3, "schedule": "cosine", "warmup": 10},
    "vgnet": {"lr": 6e-4, "schedule": "cosine", "warmup": 10, "adversarial_weight": 0.0, "regression_weight": 0.0},
}
"""What differs from the training of the bundle's networks (docs/personalize.md has the trials).

Without a discriminator, which bundles for generation lack, a step takes two thirds of the time and brings as much.
"""

P = TypeVar("P", bound=LoopParams)


@dataclass(frozen=True)
class Steps:
    """Steps of both trainings; equal ones on equal clips give equal bytes."""

    atnet: int
    vgnet: int


class FineTuning:
    """Both trainings on the clips of `store`, from the weights of a `bundle` and in its landmarks and features."""

    def __init__(self, bundle: Path, store: ClipStore, speech: SpeechFeatures, work: Path, seed: int) -> None:
        self.bundle, self.store, self.speech, self.work, self.seed = bundle, store, speech, work, seed
        self.landmarks = LandmarkModel.load(bundle / "landmarks")

    def plan(self, seconds: float) -> Steps:
        """The steps that take so many seconds here, by the time that a few take; those of a call that was killed."""
        path = self.work / "steps.json"
        if path.exists():
            return Steps(**json.loads(path.read_text(encoding="utf-8")))
        found = Steps(
            _steps_in(seconds * ATNET_SHARE, self._atnet(VALIDATIONS)),
            _steps_in(seconds * (1 - ATNET_SHARE), self._vgnet(VALIDATIONS)),
        )
        with replacing(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(found)) + "\n", encoding="utf-8")
        return found

    def run(self, steps: Steps) -> dict[str, int]:
        """Train both into the folder `work`; killed, it goes on where it was. The step of the weights that are kept.

        The weights of the bundle are among those of which the best validated are kept.
        """
        tasks: dict[str, Callable[[], Task]] = {
            "atnet": lambda: self._atnet(steps.atnet),
            "vgnet": lambda: self._vgnet(steps.vgnet),
        }
        return {name: self._train(make(), self.work / name) for name, make in tasks.items()}

    def _train(self, task: Task, out: Path) -> int:
        """The step whose weights are kept; what an earlier call finished is not done again."""
        if (out / "model.json").exists():
            meta = read_meta(self.work, out.name)
            if [meta["params"], meta["data"], meta["init"]] == [asdict(task.params), task.data, dict(task.init)]:
                return int(meta["step"])
        return int(train(task, out, self.work / "resume" / out.name, [progress()])["step"])

    def _atnet(self, steps: int) -> AtNetTask:
        belongs = {"landmarks": self.landmarks.digest, "speech": asdict(self.speech)}
        start = open_start("atnet", self.bundle, belongs)
        params = _params("atnet", AtNetParams, self.bundle, steps)
        return AtNetTask(*self._sources(speech=True), params, self.seed, belongs, start, self.landmarks)

    def _vgnet(self, steps: int) -> VgNetTask:
        belongs = {"landmarks": self.landmarks.digest, "crop": asdict(crop_geometry(self.store.size))}
        start = open_start("vgnet", self.bundle, belongs)
        params = _params("vgnet", VgNetParams, self.bundle, steps)
        return VgNetTask(*self._sources(speech=False), params, self.seed, belongs, start)

    def _sources(self, *, speech: bool) -> tuple[StoreSource, StoreSource]:
        train_split, val_split = (
            StoreSource(self.store, self.landmarks, split, speech=speech) for split in ("train", "val")
        )
        return train_split, val_split


def read_meta(bundle: Path, name: str) -> Mapping[str, Any]:
    """What the file of a bundle's network says of it."""
    meta: dict[str, Any] = json.loads((bundle / name / "model.json").read_text(encoding="utf-8"))["meta"]
    return meta


def _params(name: str, kind: type[P], bundle: Path, steps: int) -> P:
    """Those that trained the bundle's network, as far as they are known, with the recipe's in their place."""
    card = json.loads((bundle / name / "model.json").read_text(encoding="utf-8"))
    known = {field.name for field in fields(kind)}
    made = {**card["meta"].get("params", {}), **card["arguments"]}
    trained = {key: value for key, value in made.items() if key in known and key != "init"}
    changes = {"steps": steps, "epochs": 0, "validate_every": max(1, steps // VALIDATIONS), "early_stopping": 0}
    values: dict[str, Any] = asdict(kind())  # of what a bundle of an earlier version does not know
    for key, value in {**trained, "keep": "best", "compile": False, **RECIPES[name], **changes}.items():
        values[key] = {**values[key], **value} if isinstance(value, dict) else value
    return build(kind, values, name)


def _steps_in(seconds: float, task: Task) -> int:
    """Steps of `task`, which is of no use afterwards, that take so many seconds, their validations included."""
    with training_threads(task.params.width):
        for step in range(2):
            task.step(task.batch(step))
        begun = time.monotonic()
        for step in range(2, 2 + TIMED):
            task.step(task.batch(step))
        stepped = time.monotonic()
        task.validate(task.network.eval())
        validated = time.monotonic()
    left = seconds - (VALIDATIONS + 2) * (validated - stepped)
    return max(LEAST_STEPS, int(left * TIMED / (stepped - begun)))
