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
from pipeline.models.bundle import Bundle
from pipeline.personalize.mouths import MouthJudge
from pipeline.personalize.tasks import MouthAtNetTask, MouthVgNetTask
from pipeline.runtime.devices import training_threads
from pipeline.runtime.files import replacing
from pipeline.shards.clip_store import ClipStore
from pipeline.training.callbacks import Progress
from pipeline.training.data import StoreSource
from pipeline.training.loop import train
from pipeline.training.start import open_start
from pipeline.training.task import Task

ATNET_SHARE = 0.2
"""Of the time for training: AT-net's steps are short, and it is soon as good as so few clips make it."""
VALIDATIONS = {"atnet": 20, "vgnet": 8}
"""Of each training; VG-net's paint the validation clips."""
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

    def __init__(self, bundle: Bundle, store: ClipStore, judge: MouthJudge, work: Path, seed: int) -> None:
        """`judge` has the validation clips."""
        self.bundle, self.store, self.judge, self.work, self.seed = bundle, store, judge, work, seed
        assert bundle.landmarks is not None
        assert bundle.speech is not None
        self.landmarks, self.speech = bundle.landmarks, bundle.speech

    def plan(self, seconds: float) -> Steps:
        """The steps that take so many seconds here, by the time that a few take; those of a call that was killed."""
        path = self.work / "steps.json"
        if path.exists():
            return Steps(**json.loads(path.read_text(encoding="utf-8")))
        found = Steps(
            _steps_in(seconds * ATNET_SHARE, self._atnet(VALIDATIONS["atnet"])),
            _steps_in(seconds * (1 - ATNET_SHARE), self._vgnet(VALIDATIONS["vgnet"])),
        )
        with replacing(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(found)) + "\n", encoding="utf-8")
        return found

    def run(self, steps: Steps) -> dict[str, int]:
        """Train both into the folder `work`; killed, it goes on where it was. The step of the best weights of each.

        The best have the lowest LMD on the validation clips. The weights of the bundle, step 0, are among them.
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
        return int(train(task, out, self.work / "resume" / out.name, [Progress()])["step"])

    def _atnet(self, steps: int) -> MouthAtNetTask:
        compatibility = {"landmarks": self.landmarks.digest, "speech": self.speech.record()}
        start = open_start("atnet", self.bundle.folder, compatibility)
        params = _params("atnet", AtNetParams, self.bundle.folder, steps)
        task = MouthAtNetTask(*self._sources(speech=True), params, self.seed, compatibility, start, self.landmarks)
        return task.judge_with(self.judge, self.bundle)

    def _vgnet(self, steps: int) -> MouthVgNetTask:
        compatibility = {"landmarks": self.landmarks.digest, "crop": asdict(crop_geometry(self.store.size))}
        start = open_start("vgnet", self.bundle.folder, compatibility)
        params = _params("vgnet", VgNetParams, self.bundle.folder, steps)
        task = MouthVgNetTask(*self._sources(speech=False), params, self.seed, compatibility, start)
        return task.judge_with(self.judge, self.bundle)

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
    changes = {"steps": steps, "epochs": 0, "validate_every": max(1, steps // VALIDATIONS[name]), "early_stopping": 0}
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
    left = seconds - (VALIDATIONS[task.name] + 2) * (validated - stepped)
    return max(LEAST_STEPS, int(left * TIMED / (stepped - begun)))
