"""The training loop of both networks."""

import hashlib
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from pipeline.bundles.network_files import save_model
from pipeline.config.training import LoopParams
from pipeline.runtime.devices import training_threads
from pipeline.runtime.paths import StrPath
from pipeline.training import distribution
from pipeline.training.callbacks import Callback, History
from pipeline.training.checkpoints import Resumable
from pipeline.training.data import load_ahead, loaders
from pipeline.training.state import Ema, LossMonitor, State, diverged, restore, snapshot
from pipeline.training.task import Task, Validation

log = logging.getLogger(__name__)

CHECK_EVERY = 10  # steps between checks of the losses: each check makes a GPU wait


def train(task: Task[Any], out: StrPath, resume: StrPath, callbacks: Sequence[Callback] = ()) -> dict[str, float]:
    """Train a network, or continue an equal training that was killed or, with a constant schedule, had fewer steps.

    Writes weights (safetensors and JSON) and history.csv into `out`, and checkpoints into `resume`, outside `out`,
    where trainings with other params, seed or data are kept apart. `callbacks` get the events of the training.

    Returns the validation metrics and the step of the kept weights. Raises PipelineError if a loss is not a number or
    explodes, or if several processes cannot share the batch evenly, or differ in params or data.
    """
    with training_threads(task.params.width):
        return _Training(task, Path(out), Path(resume), callbacks).run()


class _Training:
    """One call of `train`."""

    def __init__(self, task: Task[Any], out: Path, resume: Path, callbacks: Sequence[Callback]) -> None:
        params: LoopParams = task.params
        distribution.require_equal_shares(task.name, params.batch)
        self.task, self.out, self.params = task, out, params
        self.steps = params.steps if params.epochs == 0 else math.ceil(params.epochs * task.clips / params.batch)
        settings = {key: value for key, value in asdict(params).items() if key not in ("steps", "epochs")}
        identity = repr((task.name, settings, task.seed, task.data, dict(task.init)))
        identity = hashlib.sha256(identity.encode()).hexdigest()
        distribution.require_same(f"{identity} {self.steps}")
        self.resumable = Resumable(resume, task.name, identity, self.steps, extends=params.schedule == "constant")
        self.ema = Ema(task.network, params.ema)
        self.monitor = LossMonitor()
        self.state = State()
        self.callbacks = [History(out / "history.csv"), *callbacks] if distribution.is_first() else []

    def run(self) -> dict[str, float]:
        """Train to the end; returns the summary."""
        task, params = self.task, self.params
        saved = distribution.on_first(self.resumable.load)
        if saved is not None:
            self.state = restore(saved, task, self.ema)
            self.monitor.reference = self.state.reference
            log.info("%s goes on after step %d of %d", task.name, self.state.step, self.steps)
        state = self.state
        for callback in self.callbacks:
            callback.start(task.name, self.steps)
            for step, values in state.history:
                callback.metrics(step, values)
        if task.init and not state.history:  # the weights of a bundle are kept if no later ones are better
            result = distribution.on_first(lambda: task.validate(self.ema.network))
            state.best = result.metrics[task.criterion]
            self._keep_weights()
            self._record(0, {f"val.{name}": value for name, value in result.metrics.items()})
        torch.backends.cudnn.benchmark = True  # shapes do not change from step to step
        ahead = range(state.step, state.step if self._stalled() else self.steps)
        for index, batch in zip(ahead, load_ahead(task.batch, ahead, loaders()), strict=True):
            share = schedule(params, index, self.steps)
            set_learning_rates(task.optimisers.values(), share)
            state.step = step = index + 1
            self.monitor.add(step, task.step(batch))
            self.ema.update(step)
            in_turn = step % params.validate_every == 0
            if in_turn or step == self.steps or step % CHECK_EVERY == 0:
                self.monitor.check()
                for callback in self.callbacks:
                    callback.progress(step, self.monitor.latest)
            if in_turn or step == self.steps:
                self._validate(step, share)
                # The last validation may be out of turn; a longer training that continued there would differ.
                if distribution.is_first() and in_turn:
                    self.resumable.checkpoints.save(step, snapshot(state, task, self.ema))
                if self._stalled():
                    log.info("%s stops at step %d: no better since step %d", task.name, step, state.best_step)
                    break
        return self._finish()

    def _validate(self, step: int, share: float) -> None:
        task, state = self.task, self.state
        losses = self.monitor.means()
        warning = task.warning(losses)
        if warning and warning not in state.warnings:
            state.warnings.append(warning)
            log.warning("%s, step %d: %s", task.name, step, warning)

        # The losses are those before the step, so its own effect on the weights is checked here, before they are saved.
        for name, network in {task.name: task.network, **task.helpers}.items():
            if not all(torch.isfinite(tensor).all() for tensor in network.state_dict().values()):
                raise diverged(step, f"a weight of {name} is not a finite number")
        result: Validation = distribution.on_first(lambda: task.validate(self.ema.network))
        value = result.metrics[task.criterion]
        if not math.isfinite(value):
            raise diverged(step, f"the validation's `{task.criterion}` is {value}")

        values = {f"train.{name}": loss for name, loss in losses.items()}
        values |= {f"val.{name}": number for name, number in result.metrics.items()} | {"lr": self.params.lr * share}
        self._record(step, values)
        for callback in self.callbacks:
            for name, picture in result.pictures.items():
                callback.picture(step, name, picture)

        better = value < state.best
        if better:
            state.best, state.best_step, state.stale = value, step, 0
        else:
            state.stale += 1
        if better or self.params.keep == "last":
            self._keep_weights()
        state.reference = self.monitor.reference

    def _record(self, step: int, values: dict[str, float]) -> None:
        self.state.history.append((step, values))
        for callback in self.callbacks:
            callback.metrics(step, values)

    def _keep_weights(self) -> None:
        self.state.kept = {name: tensor.clone() for name, tensor in self.ema.network.state_dict().items()}

    def _stalled(self) -> bool:
        return 0 < self.params.early_stopping <= self.state.stale

    def _finish(self) -> dict[str, float]:
        """Write the networks' files; returns the summary."""
        task, state = self.task, self.state
        self.ema.network.load_state_dict(state.kept)
        step = state.best_step if self.params.keep == "best" else state.step
        metrics = dict(state.history)[step]
        meta = {"params": asdict(self.params), "seed": task.seed, "data": task.data, "init": dict(task.init)}
        meta |= {**task.compatibility, "step": step, "metrics": metrics}
        summary = {name: value for name, value in metrics.items() if name.startswith("val.")} | {"step": step}
        if distribution.is_first():
            save_model(self.out, "model", self.ema.network, meta)
            for name, helper in task.helpers.items():
                save_model(self.out, name, helper, {**meta, "step": state.step})
            for callback in self.callbacks:
                callback.done(state.step, summary)
            self.resumable.finish()
        return summary


def schedule(params: LoopParams, index: int, steps: int) -> float:
    """The learning rate at step `index` (from 0), as a share of its highest value.

    Linear warm-up over `warmup` steps, then constant, or half a cosine to 0 at the last of `steps`.
    """
    if index < params.warmup:
        return (index + 1) / params.warmup
    if params.schedule == "constant":
        return 1.0
    done = (index - params.warmup) / max(1, steps - params.warmup)
    return 0.5 * (1 + math.cos(math.pi * done))


def set_learning_rates(optimisers: Iterable[Optimizer], share: float) -> None:
    """Set every learning rate to `share` of the optimiser's original one, which `param_groups` and checkpoints keep."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = share * group.setdefault("highest", group["lr"])
