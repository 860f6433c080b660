"""What DVC knows of a stage: the hashes of its inputs and outs, and a key that is the same whenever the inputs are."""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DVC = threading.Lock()
"""DVC keeps process-wide state; one thread at a time."""


@dataclass(frozen=True)
class Data:
    """A file or folder under DVC's control."""

    path: str
    md5: str
    """For a folder the hash of its listing, which ends with `.dir`."""
    size: int
    files: int


@dataclass(frozen=True)
class StageRecord:
    """A stage as `dvc.lock` has it."""

    key: str
    """Hash of command, dependencies and params: equal inputs, equal key."""
    deps: tuple[Data, ...]
    outs: tuple[Data, ...]


def is_stage(name: str) -> bool:
    """Whether dvc.yaml in the working directory has a stage of this name."""
    if not Path("dvc.yaml").exists():
        return False
    from dvc.utils.serialize import load_yaml

    with _DVC:
        return name in load_yaml("dvc.yaml").get("stages", {})


def running_stage(address: str) -> StageRecord:
    """The record of the stage that runs now, whose entry in `dvc.lock` is only written when it has ended.

    DVC itself hashes the inputs, as it will for that entry; files it has hashed before cost nothing.
    `address` is the `DVC_STAGE` of the process. Raises dvc.exceptions.DvcException.
    """
    from dvc.repo import Repo
    from dvc.stage.serialize import to_single_stage_lockfile

    with _DVC, Repo() as repo:
        stage = next(iter(repo.stage.collect(address)))
        stage.save_deps(allow_missing=True)
        return _record(to_single_stage_lockfile(stage))


def locked_stages() -> dict[str, StageRecord]:
    """The stages of `dvc.lock` in the working directory that `dvc.yaml` still has, by name."""
    from dvc.utils.serialize import load_yaml  # reads 1e-05 as the number it is, which PyYAML does not

    if not Path("dvc.lock").exists():
        return {}
    with _DVC:
        locked, defined = load_yaml("dvc.lock"), load_yaml("dvc.yaml")
    names = set(defined.get("stages", {}))
    entries: Mapping[str, Any] = locked.get("stages", {})
    return {name: _record(entry) for name, entry in entries.items() if name.split("@")[0] in names}


def _record(entry: Mapping[str, Any]) -> StageRecord:
    deps, outs = (
        tuple(
            Data(item["path"], str(item.get("md5", "")), int(item.get("size", 0)), int(item.get("nfiles", 1)))
            for item in entry.get(kind, [])
        )
        for kind in ("deps", "outs")
    )
    inputs = [entry["cmd"], sorted((dep.path, dep.md5) for dep in deps), entry.get("params", {})]
    text = json.dumps(inputs, sort_keys=True, default=str)
    return StageRecord(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), deps, outs)
