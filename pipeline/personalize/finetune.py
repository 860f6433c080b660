"""Fine-tunes both networks of a bundle to one person within a time limit."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from torch import nn

from pipeline.bundles.bundle import Bundle
from pipeline.config.file import build
from pipeline.config.training import AtNetParams, LoopParams, VgNetParams
from pipeline.evaluation.baselines import VG_GT
from pipeline.faces.crop import crop_geometry
from pipeline.inference.talking_head import TalkingHead
from pipeline.personalize.mouths import MouthJudge, Mouths
from pipeline.preprocessing.loading import load_preprocessing
from pipeline.runtime.devices import best_device, training_threads
from pipeline.runtime.files import replacing
from pipeline.shards.clip_store import ClipStore
from pipeline.training.atnet import AtNetTask
from pipeline.training.callbacks import Progress
from pipeline.training.data import StoreSource
from pipeline.training.loop import train
from pipeline.training.start_from_bundle import open_start
from pipeline.training.task import Task, Validation
from pipeline.training.vgnet import VgNetTask

SHARES = {"atnet": 0.2, "vgnet": 0.8}
"""Shares of the training time. AT-net's steps are short, and it converges soon on so few clips."""
VALIDATIONS = {"atnet": 20, "vgnet": 8}
"""Validations per training. VG-net's are slow, because they paint the validation clips."""
LEAST_STEPS = 20
WARM_UP, TIMED = 2, 5  # steps before the time of a step is measured, and steps that are measured
RECIPES: dict[str, dict[str, Any]] = {
    "atnet": {"lr": 1e-3, "schedule": "cosine", "warmup": 10},
    "vgnet": {"lr": 6e-4, "schedule": "cosine", "warmup": 10, "adversarial_weight": 0.0, "regression_weight": 0.0},
}
"""Parameters that differ from the bundle's training (docs/personalize.md has the trials).

Without the discriminator, which small bundles lack, a step takes two thirds of the time and achieves as much.
"""

P = TypeVar("P", bound=LoopParams)


def make_head(base: Bundle, atnet: Any, vgnet: Any) -> TalkingHead:
    """Combine two networks with the preprocessing of the bundle `base`."""
    return TalkingHead(atnet, vgnet, load_preprocessing(base), best_device(), card=base.card)


class _Judged:
    """A training whose best weights have the lowest LMD of the mouths that the network generates."""

    criterion = "lmd"
    mouths: Callable[[nn.Module], Mouths]

    def validate(self, network: nn.Module) -> Validation:
        result: Validation = super().validate(network)  # type: ignore[misc]
        return Validation({**self.mouths(network).summary(), **result.metrics}, result.pictures)


class _MouthAtNetTask(_Judged, AtNetTask):
    pass


class _MouthVgNetTask(_Judged, VgNetTask):
    pass


class FineTuning:
    """Trains both networks on the clips of a store, from the weights of a bundle."""

    def __init__(self, bundle: Bundle, store: ClipStore, judge: MouthJudge, work: Path, seed: int) -> None:
        """Prepare both trainings. The folder ``work`` gets the networks, and what is needed to resume."""
        self.bundle, self.store, self.judge, self.work, self.seed = bundle, store, judge, work, seed
        self.landmarks, self.speech, _ = bundle.trained_here

    def plan(self, seconds: float) -> dict[str, int]:
        """Time a few steps, and return how many of each network fit into the seconds.

        An interrupted call's plan is kept. Equal numbers of steps on equal clips give equal bytes.
        """
        path = self.work / "steps.json"
        if path.exists():
            return cast(dict[str, int], json.loads(path.read_text(encoding="utf-8")))
        plan = {name: _steps_in(seconds * SHARES[name], self._task(name, VALIDATIONS[name])) for name in SHARES}
        with replacing(path) as unfinished:
            unfinished.write_text(json.dumps(plan) + "\n", encoding="utf-8")
        return plan

    def run(self, steps: Mapping[str, int]) -> dict[str, int]:
        """Train both networks, or resume. Returns the step of the best weights by network.

        The best weights have the lowest LMD on the validation clips: of AT-net's landmarks, or of VG-net's pictures for
        real landmarks. The bundle's own weights compete as step 0.
        """
        return {name: self._train(self._task(name, steps[name]), self.work / name) for name in SHARES}

    def _train(self, task: Task[Any], out: Path) -> int:
        """Train, unless an earlier call finished this training. Returns the step of the best weights."""
        if (out / "model.json").exists():
            meta = read_meta(self.work, out.name)
            if [meta["params"], meta["data"], meta["init"]] == [asdict(task.params), task.data, dict(task.init)]:
                return int(meta["step"])
        return int(train(task, out, self.work / "resume" / out.name, [Progress()])["step"])

    def _task(self, name: str, steps: int) -> Task[Any]:
        old, is_atnet = self.bundle, name == "atnet"
        own = {"speech": self.speech.record()} if is_atnet else {"crop": asdict(crop_geometry(self.store.size))}
        compatibility = {"landmarks": self.landmarks.digest, **own}
        start = open_start(name, old.folder, compatibility)
        source = partial(StoreSource, self.store, self.landmarks, speech=is_atnet)
        if is_atnet:
            params = _params(name, AtNetParams, old.folder, steps)
            atnet = _MouthAtNetTask(source("train"), source("val"), params, self.seed, compatibility, start)
            atnet.mouths = lambda network: self.judge.drawn(make_head(old, network, old.vgnet))
            return atnet
        vgnet_params = _params(name, VgNetParams, old.folder, steps)
        vgnet = _MouthVgNetTask(source("train"), source("val"), vgnet_params, self.seed, compatibility, start)
        vgnet.mouths = lambda network: self.judge.painted(make_head(old, old.atnet, network), VG_GT)
        return vgnet


def read_meta(bundle: Path, name: str) -> Mapping[str, Any]:
    """Return the `meta` of a bundle's network."""
    return cast(dict[str, Any], json.loads((bundle / name / "model.json").read_text(encoding="utf-8"))["meta"])


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
