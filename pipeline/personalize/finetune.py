"""Fine-tunes both networks of a bundle to one person within a time limit."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from pipeline.bundles.bundle import Bundle
from pipeline.config.file import build
from pipeline.config.training import AtNetParams, LoopParams, VgNetParams
from pipeline.evaluation.baselines import VG_GT
from pipeline.faces.crop import crop_geometry
from pipeline.inference.talking_head import TalkingHead
from pipeline.personalize.mouths import MouthJudge
from pipeline.preprocessing.loading import load_preprocessing
from pipeline.runtime.devices import best_device, training_threads
from pipeline.runtime.files import replacing
from pipeline.shards.clip_store import ClipStore
from pipeline.training.atnet import AtNetTask
from pipeline.training.callbacks import Progress
from pipeline.training.data import StoreSource
from pipeline.training.loop import train
from pipeline.training.start import open_start
from pipeline.training.task import Task, Validation
from pipeline.training.vgnet import VgNetTask

ATNET_SHARE = 0.2
"""Share of the training time for AT-net. Its steps are short, and it converges soon on so few clips."""
VALIDATIONS = {"atnet": 20, "vgnet": 8}
"""Validations per training. VG-net's are slow, because they paint the validation clips."""
LEAST_STEPS = 20
WARM_UP, TIMED = 2, 5
"""Steps before the time of a step is measured, and steps that are measured."""
RECIPES: dict[str, dict[str, Any]] = {
    "atnet": {"lr": 1e-3, "schedule": "cosine", "warmup": 10},
    "vgnet": {"lr": 6e-4, "schedule": "cosine", "warmup": 10, "adversarial_weight": 0.0, "regression_weight": 0.0},
}
"""Parameters that differ from the bundle's training (docs/personalize.md has the trials).

Without the discriminator, which small bundles lack, a step takes two thirds of the time and achieves as much.
"""

P = TypeVar("P", bound=LoopParams)


@dataclass(frozen=True)
class StepCounts:
    """Training steps of each network. Equal counts on equal clips give equal bytes."""

    atnet: int
    vgnet: int


def make_head(base: Bundle, atnet: Any, vgnet: Any) -> TalkingHead:
    """Combine two networks with the preprocessing of the bundle `base`."""
    return TalkingHead(atnet, vgnet, load_preprocessing(base), best_device(), card=base.card)


class MouthAtNetTask(AtNetTask):
    """AT-net's training, whose best weights have the lowest LMD of the landmarks."""

    criterion = "lmd"
    mouth_judge: MouthJudge
    base_bundle: Bundle
    """Has the VG-net for the validation."""

    def validate(self, network: nn.Module) -> Validation:
        """Add `lmd` and `opening` of AT-net's landmarks to the usual validation."""
        result = super().validate(network)
        mouths = self.mouth_judge.drawn(make_head(self.base_bundle, network, self.base_bundle.vgnet))
        return Validation({**mouths.summary(), **result.metrics}, result.pictures)


class MouthVgNetTask(VgNetTask):
    """VG-net's training, whose best weights have the lowest LMD of pictures for real landmarks."""

    criterion = "lmd"
    mouth_judge: MouthJudge
    base_bundle: Bundle
    """Has the AT-net for the validation."""

    def validate(self, network: nn.Module) -> Validation:
        """Add `lmd` and `opening` of VG-net's pictures to the usual validation."""
        result = super().validate(network)
        mouths = self.mouth_judge.painted(make_head(self.base_bundle, self.base_bundle.atnet, network), VG_GT)
        return Validation({**mouths.summary(), **result.metrics}, result.pictures)


class FineTuning:
    """Trains both networks on the clips of a store, from the weights of a bundle."""

    def __init__(self, bundle: Bundle, store: ClipStore, judge: MouthJudge, work: Path, seed: int) -> None:
        """Prepare both trainings. The folder ``work`` gets the networks, and what is needed to resume."""
        self.bundle, self.store, self.judge, self.work, self.seed = bundle, store, judge, work, seed
        self.landmarks, self.speech, _ = bundle.trained_here

    def plan(self, seconds: float) -> StepCounts:
        """Time a few steps, and return how many fit into the seconds. An interrupted call's plan is kept."""
        path = self.work / "steps.json"
        if path.exists():
            return StepCounts(**json.loads(path.read_text(encoding="utf-8")))
        plan = StepCounts(
            _steps_in(seconds * ATNET_SHARE, self._atnet(VALIDATIONS["atnet"])),
            _steps_in(seconds * (1 - ATNET_SHARE), self._vgnet(VALIDATIONS["vgnet"])),
        )
        with replacing(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(plan)) + "\n", encoding="utf-8")
        return plan

    def run(self, steps: StepCounts) -> dict[str, int]:
        """Train both networks, or resume. Returns the step of the best weights by network.

        The best weights have the lowest LMD on the validation clips. The bundle's own weights compete as step 0.
        """
        tasks: dict[str, Callable[[], Task[Any]]] = {
            "atnet": lambda: self._atnet(steps.atnet),
            "vgnet": lambda: self._vgnet(steps.vgnet),
        }
        return {name: self._train(make_task(), self.work / name) for name, make_task in tasks.items()}

    def _train(self, task: Task[Any], out: Path) -> int:
        """Train, unless an earlier call finished this training. Returns the step of the best weights."""
        if (out / "model.json").exists():
            meta = read_meta(self.work, out.name)
            if [meta["params"], meta["data"], meta["init"]] == [asdict(task.params), task.data, dict(task.init)]:
                return int(meta["step"])
        return int(train(task, out, self.work / "resume" / out.name, [Progress()])["step"])

    def _atnet(self, steps: int) -> MouthAtNetTask:
        compatibility = {"landmarks": self.landmarks.digest, "speech": self.speech.record()}
        start = open_start("atnet", self.bundle.folder, compatibility)
        params = _params("atnet", AtNetParams, self.bundle.folder, steps)
        task = MouthAtNetTask(*self._sources(speech=True), params, self.seed, compatibility, start)
        task.mouth_judge, task.base_bundle = self.judge, self.bundle
        return task

    def _vgnet(self, steps: int) -> MouthVgNetTask:
        compatibility = {"landmarks": self.landmarks.digest, "crop": asdict(crop_geometry(self.store.size))}
        start = open_start("vgnet", self.bundle.folder, compatibility)
        params = _params("vgnet", VgNetParams, self.bundle.folder, steps)
        task = MouthVgNetTask(*self._sources(speech=False), params, self.seed, compatibility, start)
        task.mouth_judge, task.base_bundle = self.judge, self.bundle
        return task

    def _sources(self, *, speech: bool) -> tuple[StoreSource, StoreSource]:
        train_split, val_split = (
            StoreSource(self.store, self.landmarks, split, speech=speech) for split in ("train", "val")
        )
        return train_split, val_split


def read_meta(bundle: Path, name: str) -> Mapping[str, Any]:
    """Return the `meta` of a bundle's network."""
    meta: dict[str, Any] = json.loads((bundle / name / "model.json").read_text(encoding="utf-8"))["meta"]
    return meta


def _params(name: str, kind: type[P], bundle: Path, steps: int) -> P:
    """Return the parameters of the bundle's own training, as far as they are known, changed by the recipe."""
    card = json.loads((bundle / name / "model.json").read_text(encoding="utf-8"))
    known = {field.name for field in fields(kind)}
    recorded = {**card["meta"].get("params", {}), **card["arguments"]}
    trained = {key: value for key, value in recorded.items() if key in known and key != "init"}
    changes = {"steps": steps, "epochs": 0, "validate_every": max(1, steps // VALIDATIONS[name]), "early_stopping": 0}
    values: dict[str, Any] = asdict(kind())  # defaults for parameters that an earlier version did not have
    for key, value in {**trained, "keep": "best", "compile": False, **RECIPES[name], **changes}.items():
        values[key] = {**values[key], **value} if isinstance(value, dict) else value
    return build(kind, values, name)


def _steps_in(seconds: float, task: Task[Any]) -> int:
    """Return how many steps, with their validations, fit into the seconds. `task` cannot be used afterwards."""
    with training_threads(task.params.width):
        for step in range(WARM_UP):
            task.step(task.batch(step))
        start = time.monotonic()
        for step in range(WARM_UP, WARM_UP + TIMED):
            task.step(task.batch(step))
        stepped = time.monotonic()
        task.validate(task.network.eval())
        validated = time.monotonic()
    remaining = seconds - (VALIDATIONS[task.name] + 2) * (validated - stepped)
    return max(LEAST_STEPS, int(remaining * TIMED / (stepped - start)))
