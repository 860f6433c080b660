"""Lineage: DVC's hashes of the data that stages read and make, and links from a pipeline run to its stages' runs.

Each stage has a key, a hash of its inputs. If DVC takes a stage's outs from its cache, the pipeline run links to the
earlier run with the same key. Outs that were made without access to the store get a run afterwards.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.runtime import paths
from pipeline.tracking import runs
from pipeline.tracking.runs import MOST_METRICS, Operation, Target

if TYPE_CHECKING:
    from pipeline.training.record import Record

ELSEWHERE = "made elsewhere"  # in place of the run of a stage whose outs came from a machine with another store
SAMPLE = paths.SYNTHETIC.as_posix()  # the embedded corpus; made even if another corpus is chosen, but then not used
ADOPTED = "Trained where this store is not, and committed to DVC. Written down afterwards: without pictures and load."
_DVC = threading.Lock()  # DVC has process-wide state, so only one thread at a time may use it
Data = Mapping[str, Any]  # an entry of `dvc.lock`: `path`, `md5` (with `.dir` for a folder), `size` and `nfiles`


class StageRecord(NamedTuple):
    """The entry of a stage in `dvc.lock`."""

    key: str  # hash of the inputs: command, dependencies and params
    deps: list[Data]
    outs: list[Data]


def stages_in(file: str) -> dict[str, Any]:
    """The stages in `dvc.yaml` or `dvc.lock` in the working directory, by name."""
    from dvc.utils.serialize import load_yaml  # reads 1e-05 as the number it is, which PyYAML does not

    with _DVC:
        return dict(load_yaml(file).get("stages", {})) if Path(file).exists() else {}


def running_stage(address: str) -> StageRecord:
    """The record of the running stage, whose entry in `dvc.lock` DVC writes only when the stage has ended.

    DVC hashes the inputs, as it will for that entry. `address` is the end of `DVC_STAGE`. Raises DvcException.
    """
    from dvc.repo import Repo
    from dvc.stage.serialize import to_single_stage_lockfile

    with _DVC, Repo() as repo:
        # In any dvc.yaml of the project: the path in DVC_STAGE depends on where `dvc repro` was called.
        stage = next(stage for stage in repo.index.stages if getattr(stage, "name", None) == address)
        stage.save_deps(allow_missing=True)
        return _record(to_single_stage_lockfile(stage))


def locked_stages() -> dict[str, StageRecord]:
    """The stages of `dvc.lock` in the working directory that are still in `dvc.yaml`, by name."""
    defined = stages_in("dvc.yaml")
    return {name: _record(entry) for name, entry in stages_in("dvc.lock").items() if name.split("@")[0] in defined}


def record_inputs(address: str) -> Operation:
    """Tag the run of the running stage with its key, and record the data it reads."""
    record = cache(lambda: running_stage(address))  # the operation may be repeated in another store

    def write(target: Target) -> None:
        target.client.set_tag(target.child_id, runs.KEY, record().key)
        _log_made(target, record().deps, locked_stages())

    return write


def link(target: Target) -> set[str]:
    """Link the parent run to the run that made each stage's outs; returns the ids of these runs."""
    ran = runs.children(target)
    stages: dict[str, Any] = {}
    for name, record in locked_stages().items():
        if ran.get(name) == target.child_id:
            continue  # the running stage: its entry is still that of an earlier run
        stages[name] = {
            "run_id": ran.get(name) or runs.maker(target.store, name, record.key),
            "from_cache": name not in ran,
            "deps": {dep["path"]: dep.get("md5", "") for dep in record.deps},
            "outs": {out["path"]: out.get("md5", "") for out in record.outs},
        }
        _log_inputs(target, target.parent_id, record.outs, name)
    for name in ran.keys() - stages.keys():
        stages[name] = {"run_id": ran[name], "from_cache": False}
    note = ["| stage | run | |", "|---|---|---|"]  # which MLflow shows as the description of the run
    for name, entry in stages.items():
        run_id = entry["run_id"]
        target.client.set_tag(target.parent_id, f"stage.{name}", run_id or ELSEWHERE)
        shown = f"[{run_id[:8]}](#/experiments/{target.store.experiment_id}/runs/{run_id})" if run_id else ELSEWHERE
        note.append(f"| {name} | {shown} | {'from the cache' if entry['from_cache'] else 'ran'} |")
    target.client.set_tag(target.parent_id, "mlflow.note.content", "\n".join(note))
    target.client.log_dict(target.parent_id, stages, "lineage.json")
    return {entry["run_id"] for entry in stages.values() if entry["run_id"]}


def adopt(target: Target, stage: str, params: Mapping[str, Any], record: "Record", model: Operation) -> None:
    """Write a finished run of `stage`, as in `dvc.lock`, unless the store has one. It becomes the maker of the outs."""
    records = locked_stages()
    if stage not in records or runs.maker(target.store, stage, records[stage].key):
        return
    own = runs.open_apart(target, stage, {runs.KEY: records[stage].key, "mlflow.note.content": ADOPTED}, params)
    points = [point for step, row in record.curves.items() for point in runs.points(row, step)]
    points += runs.points({f"kept.{name}": value for name, value in record.summary.items()}, max(record.curves))
    for start in range(0, len(points), MOST_METRICS):
        own.client.log_batch(own.child_id, metrics=points[start : start + MOST_METRICS])
    _log_made(own, records[stage].deps, records)
    model(own)
    own.client.set_terminated(own.child_id, "FINISHED")


def _log_made(target: Target, deps: Iterable[Data], stages: Mapping[str, StageRecord]) -> None:
    """Record those `deps` that a stage made as inputs of the run of `target`."""
    made = {out["path"] for record in stages.values() for out in record.outs}
    _log_inputs(target, target.child_id, [dep for dep in deps if dep["path"] in made], "input")


def _log_inputs(target: Target, run_id: str, data: Iterable[Data], context: str) -> None:
    """Record data sets of a run, named after their corpus, with DVC's hashes as digests."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    entries = [
        DatasetInput(
            Dataset(
                name=f"{target.corpus}: {item['path']}" if target.corpus else item["path"],
                digest=item["md5"],
                source_type="dvc",
                source=json.dumps({"path": item["path"], "md5": item["md5"]}),
                profile=json.dumps({"bytes": item.get("size", 0), "files": item.get("nfiles", 1)}),
            ),
            tags=[InputTag("mlflow.data.context", context)],
        )
        for item in data
        if item.get("md5") and (item["path"] != SAMPLE or target.corpus in ("", paths.SYNTHETIC.name))
    ]
    if entries:
        target.client.log_inputs(run_id, entries)


def _record(entry: Mapping[str, Any]) -> StageRecord:
    deps, outs = entry.get("deps", []), entry.get("outs", [])
    inputs = [entry["cmd"], sorted((dep["path"], dep.get("md5", "")) for dep in deps), entry.get("params", {})]
    text = json.dumps(inputs, sort_keys=True, default=str)
    return StageRecord(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), deps, outs)
