"""The training loop of both networks."""

import hashlib
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
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
from pipeline.training.task import Batch, Task, Validation

log = logging.getLogger(__name__)

CHECK_EVERY = 10
"""Steps between checks of the losses: each check makes a GPU wait."""


def train(task: Task, out: StrPath, resume: StrPath, callbacks: Sequence[Callback] = ()) -> dict[str, float]:
    """Train a network, or continue an equal training that was killed or, with a constant schedule, had fewer steps.

    Args:
        task: The network, its data and its losses.
        out: Folder for model.* and the helpers' files (safetensors and JSON), and history.csv.
        resume: Folder for checkpoints, outside `out`. Trainings with other params, seed or data are kept apart there.
        callbacks: Get the events of the training.

    Returns:
        The validation metrics and the step of the weights that were kept.

    Raises:
        PipelineError: A loss is not a number or explodes; or several processes cannot share the batch evenly, or differ
            in params or data.
    """
    with training_threads(task.params.width):
        return _Training(task, Path(out), Path(resume), callbacks).run()


class _Training:
    """One call of `train`."""

    def __init__(self, task: Task, out: Path, resume: Path, callbacks: Sequence[Callback]) -> None:
        params = task.params
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
        self._resume()
        if self.task.init and not self.state.history:
            self._validate_start()
        torch.backends.cudnn.benchmark = True  # shapes do not change from step to step
        for index, batch in self._batches():
            step = index + 1
            share = schedule(self.params, index, self.steps)
            self._step(step, batch, share)
            validating = step % self.params.validate_every == 0 or step == self.steps
            if validating or step % CHECK_EVERY == 0:
                self._check_losses(step)
            if validating:
                self._validate(step, share)
                # The last validation may be out of turn; a longer training that continued there would differ.
                if distribution.is_first() and step % self.params.validate_every == 0:
                    self.resumable.checkpoints.save(step, snapshot(self.state, self.task, self.ema))
                if self._stalled():
                    log.info("%s stops at step %d: no better since step %d", self.task.name, step, self.state.best_step)
                    break
        return self._finish()

    def _resume(self) -> None:
        saved = distribution.on_first(self.resumable.load)
        if saved is not None:
            self.state = restore(saved, self.task, self.ema)
            self.monitor.reference = self.state.reference
            log.info("%s goes on after step %d of %d", self.task.name, self.state.step, self.steps)
        for callback in self.callbacks:
            callback.start(self.task.name, self.steps)
            for step, values in self.state.history:
                callback.metrics(step, values)

    def _validate_start(self) -> None:
        """Validate the weights of a bundle before the first step: they are kept if no later ones are better."""
        result = distribution.on_first(lambda: self.task.validate(self.ema.network))
        self.state.best = result.metrics[self.task.criterion]
        self._keep_weights()
        self._record(0, {f"val.{name}": value for name, value in result.metrics.items()})

    def _batches(self) -> Iterator[tuple[int, Batch]]:
        """The steps to make, from 0, and their batches; none if the training had stopped early."""
        first = self.state.step
        ahead = range(first, first if self._stalled() else self.steps)
        return zip(ahead, load_ahead(self.task.batch, ahead, loaders()), strict=True)

    def _step(self, step: int, batch: Batch, share: float) -> None:
        set_learning_rates(self.task.optimisers.values(), share)
        self.state.step = step
        self.monitor.add(step, self.task.step(batch))
        self.ema.update(step)

    def _check_losses(self, step: int) -> None:
        self.monitor.check()
        for callback in self.callbacks:
            callback.progress(step, self.monitor.latest)

    def _validate(self, step: int, share: float) -> None:
        task, state = self.task, self.state
        losses = self.monitor.means()
        warning = task.warning(losses)
        if warning and warning not in state.warnings:
            state.warnings.append(warning)
            log.warning("%s, step %d: %s", task.name, step, warning)

        # The losses are those before the step, so its own effect on the weights is checked here, before they are saved.
        require_numbers(step, {task.name: task.network, **task.helpers})
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
        kept_step = state.best_step if self.params.keep == "best" else state.step
        kept_values = dict(state.history)[kept_step]
        meta = {
            **task.compatibility,
            "params": asdict(self.params),
            "seed": task.seed,
            "data": task.data,
            "init": dict(task.init),
            "step": kept_step,
            "metrics": kept_values,
        }
        if distribution.is_first():
            save_model(self.out, "model", self.ema.network, meta)
            for name, helper in task.helpers.items():
                save_model(self.out, name, helper, {**meta, "step": state.step})
        summary = {name: value for name, value in kept_values.items() if name.startswith("val.")} | {"step": kept_step}
        for callback in self.callbacks:
            callback.done(state.step, summary)
        if distribution.is_first():
            self.resumable.finish()
        return summary


def require_numbers(step: int, networks: Mapping[str, nn.Module]) -> None:
    """Raise the PipelineError of a diverged training if a weight is not a finite number."""
    for name, network in networks.items():
        for tensor in network.state_dict().values():
            if not torch.isfinite(tensor).all():
                raise diverged(step, f"a weight of {name} is not a finite number")


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
    """Set every learning rate to `share` of its highest value, the one the optimiser was made with.

    The highest value is stored in the optimiser's `param_groups`, and so in checkpoints.
    """
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = share * group.setdefault("highest", group["lr"])
