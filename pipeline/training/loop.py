"""The one loop that trains either network."""

import hashlib
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from pipeline.config.training import LoopParams
from pipeline.models.files import save_model
from pipeline.runtime.devices import training_threads
from pipeline.runtime.paths import StrPath
from pipeline.training import distribution
from pipeline.training.callbacks import Callback, History
from pipeline.training.data import load_ahead, loaders
from pipeline.training.ema import Ema
from pipeline.training.finished import Resumable
from pipeline.training.loss_monitor import LossMonitor, diverged

log = logging.getLogger(__name__)

CHECK_EVERY = 10
"""Steps between checks of the losses: each makes a GPU wait."""

Batch = Any
"""What a task's `batch` hands to its `step`."""


@dataclass(frozen=True)
class Validation:
    """What a validation found."""

    metrics: dict[str, float]
    pictures: dict[str, NDArray[np.uint8]]


class Task(Protocol):
    """One network's training, as the loop drives it; in one of several processes, with its share of every batch."""

    name: str
    criterion: str
    """The metric, among the validation's, by which weights are the best when it is lowest."""
    network: nn.Module
    """What is followed by the EMA, validated and kept."""
    helpers: dict[str, nn.Module]
    """Networks that train along with it, by the names they are saved under."""
    optimisers: dict[str, Optimizer]
    clips: int
    """Training clips in a pass over the data."""
    seed: int
    data: str
    """The hash of what is trained on."""
    compatibility: Mapping[str, Any]
    """What the network's file says of the parts of the bundle that it belongs to."""
    init: Mapping[str, str]
    """SHA-256 of the weights that it starts from, by file; empty from scratch."""

    @property
    def params(self) -> LoopParams:
        """What the training is steered by."""

    def batch(self, step: int) -> Batch:
        """This process's share of the batch of step `step`, from 0; called in loader threads."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of every optimiser; the losses over the share, the network's own total first."""

    def validate(self, network: nn.Module) -> Validation:
        """Metrics and pictures of `network` (in eval mode) on the validation split."""

    def warning(self, losses: dict[str, float]) -> str | None:
        """A warning to give on the mean losses of the steps since the last validation, if any."""


@dataclass
class State:
    """Where a training stands, beside its networks."""

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0
    """Validations since the best."""
    kept: dict[str, Tensor] = field(default_factory=dict)
    """The network's weights at the best validation, or at the last, whichever is kept."""
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    reference: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def train(task: Task, out: StrPath, resume: StrPath, callbacks: Sequence[Callback] = ()) -> dict[str, float]:
    """Train `task`, going on from `resume`, a folder outside `out`, where an equal training was killed.

    With a constant schedule it also goes on where an equal one of fewer steps was finished.

    `out` receives model.* and the helpers' files (safetensors and JSON), and history.csv. Params, seed and data tell
    this training's checkpoints from others'. Returns the criterion and step of the weights that were kept, and the
    steps made. Raises PipelineError when a loss is not a number or explodes, and when several processes cannot share
    the batch or differ in params or data.
    """
    with training_threads(task.params.width):
        return _train(task, Path(out), Path(resume), callbacks)


def _train(task: Task, out: Path, resume: Path, callbacks: Sequence[Callback]) -> dict[str, float]:
    params, seed, data = task.params, task.seed, task.data
    distribution.require_equal_shares(task.name, params.batch)
    steps = params.steps if params.epochs == 0 else math.ceil(params.epochs * task.clips / params.batch)
    lasting = {key: value for key, value in asdict(params).items() if key not in ("steps", "epochs")}
    training = hashlib.sha256(repr((task.name, lasting, seed, data, dict(task.init))).encode()).hexdigest()
    distribution.require_same(f"{training} {steps}")
    resumable = Resumable(resume, task.name, training, steps, extends=params.schedule == "constant")
    ema = Ema(task.network, params.ema)
    monitor = LossMonitor()
    state = State()

    saved = distribution.on_first(resumable.load)
    if saved is not None:
        state = restore(saved, task, ema)
        monitor.reference = state.reference
        log.info("%s goes on after step %d of %d", task.name, state.step, steps)

    everyone = [History(out / "history.csv"), *callbacks] if distribution.is_first() else []
    for callback in everyone:
        callback.start(task.name, steps)
        for step, values in state.history:
            callback.metrics(step, values)

    if task.init and not state.history:
        judge_start(state, task, ema, everyone)

    torch.backends.cudnn.benchmark = True  # shapes do not change from step to step
    stopped = params.early_stopping > 0 and state.stale >= params.early_stopping
    ahead = range(state.step, state.step if stopped else steps)
    for index, batch in zip(ahead, load_ahead(task.batch, ahead, loaders()), strict=True):
        share = schedule(params, index, steps)
        set_learning_rates(task.optimisers.values(), share)
        state.step = step = index + 1
        monitor.add(step, task.step(batch))
        ema.update(step)

        validating = step % params.validate_every == 0 or step == steps
        if validating or step % CHECK_EVERY == 0:
            monitor.check()
            for callback in everyone:
                callback.progress(step, monitor.latest)
        if not validating:
            continue

        losses = monitor.means()
        warning = task.warning(losses)
        if warning and warning not in state.warnings:
            state.warnings.append(warning)
            log.warning("%s, step %d: %s", task.name, step, warning)

        # The losses are of the weights before the step: those after it are seen here, before they are saved.
        require_numbers(step, {task.name: task.network, **task.helpers})
        found = distribution.on_first(lambda: task.validate(ema.network))
        if not math.isfinite(found.metrics[task.criterion]):
            raise diverged(step, f"the validation's `{task.criterion}` is {found.metrics[task.criterion]}")
        values = {f"train.{name}": loss for name, loss in losses.items()}
        values |= {f"val.{name}": value for name, value in found.metrics.items()} | {"lr": params.lr * share}
        state.history.append((step, values))
        for callback in everyone:
            callback.metrics(step, values)
            for name, picture in found.pictures.items():
                callback.picture(step, name, picture)

        better = found.metrics[task.criterion] < state.best
        if better:
            state.best, state.best_step, state.stale = found.metrics[task.criterion], step, 0
        else:
            state.stale += 1
        if better or params.keep == "last":
            state.kept = {name: tensor.clone() for name, tensor in ema.network.state_dict().items()}
        state.reference = monitor.reference
        # The last validation may come out of turn; from there a longer training would not be as one in one go.
        if distribution.is_first() and step % params.validate_every == 0:
            resumable.checkpoints.save(step, snapshot(state, task, ema))
        if 0 < params.early_stopping <= state.stale:
            log.info("%s stops at step %d: no better since step %d", task.name, step, state.best_step)
            break

    ema.network.load_state_dict(state.kept)
    kept_step = state.best_step if params.keep == "best" else state.step
    kept_values = dict(state.history)[kept_step]
    meta = {
        **task.compatibility,
        "params": asdict(params),
        "seed": seed,
        "data": data,
        "init": dict(task.init),
        "step": kept_step,
        "metrics": kept_values,
    }
    if distribution.is_first():
        save_model(out, "model", ema.network, meta)
        for name, helper in task.helpers.items():
            save_model(out, name, helper, {**meta, "step": state.step})
    summary = {**{name: value for name, value in kept_values.items() if name.startswith("val.")}, "step": kept_step}
    for callback in everyone:
        callback.done(state.step, summary)
    if distribution.is_first():
        resumable.finish()
    return summary


def judge_start(state: State, task: Task, ema: Ema, callbacks: Sequence[Callback]) -> None:
    """Validate the weights of a bundle before the first step: where none become better, they are kept."""
    found = distribution.on_first(lambda: task.validate(ema.network))
    state.best = found.metrics[task.criterion]
    state.kept = {name: tensor.clone() for name, tensor in ema.network.state_dict().items()}
    state.history.append((0, {f"val.{name}": value for name, value in found.metrics.items()}))
    for callback in callbacks:
        callback.metrics(*state.history[0])


def require_numbers(step: int, networks: Mapping[str, nn.Module]) -> None:
    """Raise the PipelineError of a training that diverged where a weight is not a finite number."""
    for name, network in networks.items():
        for tensor in network.state_dict().values():
            if not torch.isfinite(tensor).all():
                raise diverged(step, f"a weight of {name} is not a finite number")


def schedule(params: LoopParams, index: int, steps: int) -> float:
    """The share of its highest that the learning rate has at step `index` (from 0).

    A linear climb over `warmup` steps, then constant, or half a cosine to 0 at the last of `steps`.
    """
    if index < params.warmup:
        return (index + 1) / params.warmup
    if params.schedule == "constant":
        return 1.0
    done = (index - params.warmup) / max(1, steps - params.warmup)
    return 0.5 * (1 + math.cos(math.pi * done))


def set_learning_rates(optimisers: Iterable[Optimizer], share: float) -> None:
    """Set every rate to `share` of the one its optimiser was made with."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = share * group.setdefault("highest", group["lr"])


def snapshot(state: State, task: Task, ema: Ema) -> dict[str, Any]:
    """All that `restore` needs."""
    return {
        "state": vars(state),
        "network": task.network.state_dict(),
        "ema": ema.network.state_dict(),
        "helpers": {name: helper.state_dict() for name, helper in task.helpers.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in task.optimisers.items()},
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore(saved: dict[str, Any], task: Task, ema: Ema) -> State:
    """Put networks, optimisers and random generators back to where `snapshot` found them."""
    task.network.load_state_dict(saved["network"])
    ema.network.load_state_dict(saved["ema"])
    for name, helper in task.helpers.items():
        helper.load_state_dict(saved["helpers"][name])
    for name, optimiser in task.optimisers.items():
        optimiser.load_state_dict(saved["optimisers"][name])
    torch.set_rng_state(saved["random"])
    if saved["cuda_random"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(saved["cuda_random"])
    return State(**saved["state"])
