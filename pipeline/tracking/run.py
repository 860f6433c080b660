"""The run of a stage, for the stage and its training."""

import dataclasses
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.runtime.paths import StrPath
from pipeline.tracking import lineage, models, runs
from pipeline.tracking.best import Judgement, compete
from pipeline.tracking.runs import Invocation, Operation, Target
from pipeline.tracking.store import Store, open_store, warn
from pipeline.tracking.system import system_metrics
from pipeline.tracking.writer import Writer
from pipeline.training.callbacks import Callback

if TYPE_CHECKING:
    from pipeline.training.record import Record

REFUSED = re.compile(r"[^\w\-. :/]", re.ASCII)  # MLflow refuses a whole request for one such character in a name


class Run:
    """Records of a stage. No method waits for the store or fails because of it.

    Files and folders that are passed must stay unchanged until the stage ends.
    """

    def __init__(self, writer: Writer | None) -> None:
        self._writer = writer

    def metrics(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Write metrics, nested ones under dotted names; with `step` they are points of curves."""
        flat = _numbers(values)
        if self._writer and flat:
            self._writer.metrics(flat, step or 0)

    def picture(self, name: str, image_HWC: np.ndarray, step: int = 0) -> None:
        """Write a picture, uint8 RGB (H, W, 3), as part of the series `name`. Raises ValueError for another array."""
        if image_HWC.dtype != np.uint8 or image_HWC.ndim != 3 or image_HWC.shape[2] != 3:
            raise ValueError(f"picture {name}: {image_HWC.dtype} of shape {image_HWC.shape} is not uint8 (H, W, 3)")
        key, image_HWC = REFUSED.sub("_", name), image_HWC.copy()
        self._put(lambda target: target.client.log_image(target.child_id, image_HWC, key=key, step=step))

    def artifact(self, path: StrPath, folder: str | None = None) -> None:
        """Write a file, or a folder with its contents, into `folder` of the artifacts. Raises FileNotFoundError."""
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"artifact {path} does not exist")
        if path.is_dir():
            inside = f"{folder}/{path.name}" if folder else path.name
            self._put(lambda target: target.client.log_artifacts(target.child_id, str(path), inside))
        else:
            self._put(lambda target: target.client.log_artifact(target.child_id, str(path), folder))

    def model(self, folder: StrPath, example: Mapping[str, np.ndarray], registered: str) -> None:
        """Register the network saved in `folder` as the next version of `registered`.

        `example` is a small input of the network, by the names of its `forward`'s arguments.
        """
        self._put(lambda target: models.network(target, Path(folder), example, registered))

    def bundle(self, folder: StrPath, registered: str = "atvgnet") -> None:
        """Register the bundle in `folder`, without the discriminator, as the next version of `registered`."""
        self._put(lambda target: models.bundle(target, Path(folder), registered))

    def adopt(self, stage: str, params: Mapping[str, Any], record: "Record", model: tuple[Any, ...]) -> None:
        """Write the run of a training that was made elsewhere; `model` are the arguments of `Run.model`."""
        self._put(lambda target: lineage.adopt(target, stage, params, record, lambda own: models.network(own, *model)))

    def callback(self) -> Callback:
        """A training callback that writes curves and pictures to this run."""
        return _RunCallback(self)

    def finish(self, metrics: Mapping[str, Any], judgements: Mapping[str, Judgement]) -> None:
        """Finish the pipeline run: write its final metrics, links to its stages' runs, and the aliases of its models.

        `judgements` has the value by which each registered model competes. Their metrics come first in MLflow.
        """
        flat = {judgement.metric: judgement.value for judgement in judgements.values()} | _numbers(metrics)
        self.metrics(flat)

        def write(target: Target) -> None:
            target.client.log_batch(target.parent_id, metrics=runs.points(flat, 0))
            makers = lineage.link(target)
            for model, judgement in judgements.items():
                compete(target.client, model, makers, judgement)

        self._put(write)

    def _put(self, operation: Operation) -> None:
        if self._writer:
            self._writer.put(operation)


class _RunCallback(Callback):
    def __init__(self, run: Run) -> None:
        self.run = run

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self.run.metrics(values, step)

    def picture(self, step: int, name: str, image_HWC: np.ndarray) -> None:
        self.run.picture(name, image_HWC, step)

    def done(self, step: int, summary: Mapping[str, float]) -> None:
        """Write the results of the kept weights; the last points of the curves may be those of others."""
        self.run.metrics({"kept": summary}, step)


@contextmanager
def stage(name: str, params: Any, uses: Iterable[str] | None = None) -> Iterator[Run]:
    """Track the stage `name`: a run under the parent run of this `dvc repro`, experiment, or single stage.

    All `params`, a mapping or a dataclass, are recorded in the parent run, and those at the dotted keys `uses` (None:
    all) in the stage's. The run is FINISHED, FAILED or KILLED after the block.
    """
    if importlib.util.find_spec("mlflow") is None:
        warn("MLflow is not installed here. This run goes on and is not tracked; its outs are complete.")
        yield Run(None)
        return
    invocation = Invocation.current()
    own, everything = select(params, uses), select(params)

    def open_in(store: Store) -> Target:
        return runs.open_runs(store, invocation, name, own, everything)

    target = open_store(open_in)
    if target is None:
        yield Run(None)
        return
    writer = Writer(target, open_in)
    if invocation.stage or name in lineage.stages_in("dvc.yaml"):  # started by hand it makes outs for `dvc commit`
        writer.put(lineage.record_inputs(invocation.stage or name))
    failure: BaseException | None = None
    try:
        with system_metrics(writer.metrics, target.child_id):
            yield Run(writer)
    except BaseException as error:
        failure = None if isinstance(error, SystemExit) and not error.code else error
        raise
    finally:
        writer.close(lambda target: runs.close_runs(target, failure))


def select(params: Any, keys: Iterable[str] | None = None) -> dict[str, Any]:
    """The flat values of ``params``, a mapping or a dataclass, at ``keys`` and below them; None: all of them."""
    flat = _flatten(params if isinstance(params, Mapping) else dataclasses.asdict(params))
    prefixes = None if keys is None else tuple(f"{key}." for key in keys)
    return {name: value for name, value in flat.items() if prefixes is None or f"{name}.".startswith(prefixes)}


def _flatten(nested: Mapping[str, Any]) -> dict[str, Any]:
    """`{"vgnet": {"lr": 1}}` as `{"vgnet.lr": 1}`; characters that MLflow refuses in names become `_`."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        key = REFUSED.sub("_", str(name))
        if isinstance(value, Mapping):
            flat.update({f"{key}.{inner}": leaf for inner, leaf in _flatten(value).items()})
        else:
            flat[key] = list(value) if isinstance(value, tuple) else value
    return flat


def _numbers(nested: Mapping[str, Any]) -> dict[str, float]:
    """The numbers in nested metrics, flat; other values are left out."""
    return {name: float(value) for name, value in _flatten(nested).items() if isinstance(value, Real)}
