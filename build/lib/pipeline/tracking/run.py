"""A stage's run, as the stages see it."""

import dataclasses
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.tracking import adopt as adopting
from pipeline.tracking import finish as finishing
from pipeline.tracking import lineage, log, runs
from pipeline.tracking import store as stores
from pipeline.tracking.callback import RunCallback
from pipeline.tracking.flat import clean, flatten, numbers
from pipeline.tracking.invocation import Invocation
from pipeline.tracking.runs import Target
from pipeline.tracking.store import Store, store_errors, warn
from pipeline.tracking.writer import Writer


class Run:
    """What a stage says about itself. Nothing here waits for the store or fails because of it.

    Files and folders that are handed over must stay as they are until the stage ends.
    """

    def __init__(self, writer: Writer | None) -> None:
        self._writer = writer

    def metrics(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Write metrics, nested ones with dotted names; with `step` they are points of a curve."""
        flat = numbers(values)
        if self._writer and flat:
            self._writer.metrics(flat, step or 0)

    def picture(self, name: str, image_HWC: np.ndarray, step: int = 0) -> None:
        """Write a picture, uint8 RGB of shape (height, width, 3), as part of the series `name` over steps.

        Raises ValueError for an array that is no such picture.
        """
        if image_HWC.dtype != np.uint8 or image_HWC.ndim != 3 or image_HWC.shape[2] != 3:
            raise ValueError(f"picture {name}: {image_HWC.dtype} of shape {image_HWC.shape} is not uint8 (H, W, 3)")
        if self._writer:
            self._writer.put(log.picture(clean(name), image_HWC.copy(), step))

    def figure(self, name: str, figure: Any) -> None:
        """Write a matplotlib figure as `figures/<name>.png`."""
        if self._writer:
            self._writer.put(log.figure(name, figure))

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Write a file or folder, into `folder` of the run's artifacts. Raises FileNotFoundError."""
        if not path.exists():
            raise FileNotFoundError(f"artifact {path} does not exist")
        if self._writer:
            self._writer.put(log.artifact(path, folder))

    def model(self, folder: Path, inputs: Mapping[str, np.ndarray], registered: str) -> None:
        """Register the model saved in `folder` as the next version of `registered`.

        `inputs` is a small example of the arguments of its `forward`, by their names.
        """
        if self._writer:
            self._writer.put(log.model(folder, inputs, registered))

    def adopt(
        self,
        stage: str,
        params: Mapping[str, Any],
        curves: Mapping[int, Mapping[str, float]],
        summary: Mapping[str, float],
        model: tuple[Path, Mapping[str, np.ndarray], str],
    ) -> None:
        """Write the run of a training whose outs were made elsewhere, if the store does not have it.

        `params` are the sections of params.yaml that the stage uses, `curves` metrics by step, `summary` what the kept
        weights reached, and `model` what `Run.model` takes. See `pipeline.tracking.adopt`.
        """
        if self._writer:
            self._writer.put(adopting.adopt(stage, flatten(params), curves, numbers(summary), log.model(*model)))

    def callback(self) -> RunCallback:
        """A training callback that writes curves and pictures to this run."""
        return RunCallback(self)

    def finish(self, metrics: Mapping[str, Any], best: Mapping[str, str], judged_on: str) -> None:
        """Say that the pipeline is through: final metrics, links, data hashes and the alias `best`.

        See `pipeline.tracking.finish`. `best` names for each registered model the flat name of the metric that decides.
        Raises KeyError when that metric is missing.
        """
        flat = numbers(metrics)
        deciding = {model: (name, flat[name]) for model, name in best.items()}
        self.metrics(metrics)
        if self._writer:
            self._writer.put(finishing.finish(flat, deciding, judged_on))


@contextmanager
def stage(name: str, params: Any, uses: Iterable[str] | None = None) -> Iterator[Run]:
    """Track the stage `name`: a run under the parent run of this `dvc repro`, experiment, or lone stage.

    `params` holds all of the pipeline's params, as a mapping or a dataclass; the parent run carries them all, the
    stage's run those of the top-level sections in `uses` (None: all). When the block ends the run is FINISHED, FAILED
    or KILLED.
    """
    is_object = dataclasses.is_dataclass(params) and not isinstance(params, type)
    nested: Mapping[str, Any] = dataclasses.asdict(params) if is_object else params
    sections = nested if uses is None else {section: nested[section] for section in uses}
    invocation = Invocation.current()

    def reopen(store: Store) -> Target:
        return runs.open_runs(store, invocation, name, flatten(sections), flatten(nested))

    target = _open(reopen)
    if target is None:
        yield Run(None)
        return
    from pipeline.tracking.system import SystemMetrics

    writer = Writer(target, reopen)
    system = SystemMetrics(writer.metrics, target.child_id)
    if invocation.stage or lineage.is_stage(name):  # by hand, it makes the outs that `dvc commit` then records
        writer.put(_describe(invocation.stage or name))
    try:
        yield Run(writer)
    except BaseException as error:
        _close(writer, system, None if isinstance(error, SystemExit) and not error.code else error)
        raise
    _close(writer, system, None)


def _open(reopen: Callable[[Store], Target]) -> Target | None:
    if importlib.util.find_spec("mlflow") is None:
        warn("MLflow is not installed here. This run goes on and is not tracked; its outs are complete.")
        return None
    store = stores.open_store()
    while store:
        try:
            return reopen(store)
        except store_errors() as error:
            if store.local:
                warn(f"{store.uri} cannot be written: {stores.first_line(error)}. The run goes on and is not tracked.")
                return None
            stores.warn_of_fallback(store.uri, stores.first_line(error))
            store = stores.open_local()
    return None


def _close(writer: Writer, system: Any, error: BaseException | None) -> None:
    system.close()
    writer.close(lambda target: runs.close_runs(target, error))


def _describe(address: str) -> Any:
    """Tag the stage's run with the key of its inputs, and write down the data it reads."""
    found: list[lineage.StageRecord] = []

    def write(target: Target) -> None:
        if not found:
            found.append(lineage.running_stage(address))
        made = {out.path for record in lineage.locked_stages().values() for out in record.outs}
        target.client.set_tag(target.child_id, runs.KEY, found[0].key)
        log.inputs(target.client, target.child_id, [dep for dep in found[0].deps if dep.path in made], "input")

    return write
