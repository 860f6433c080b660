"""Whether `dvc repro` made the outs that are committed: dvc.lock compared with that of the last commit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.runtime.checkout import git
from pipeline.runtime.paths import StrPath

TRAINED = ("models/atnet", "models/vgnet", "models/bundle.json", "reports/")
"""Outs whose last bits may depend on the kind of processor."""


def check_reproduction(lock: StrPath = Path("dvc.lock")) -> list[str]:
    """Messages for the user; none if the outs are as committed, or if changed parameters or code explain them."""
    lock = Path(lock)
    committed = git("show", f"HEAD:./{lock}")
    if not committed or not lock.exists():
        return []
    texts = committed, lock.read_text(encoding="utf-8")
    before, after = (dict(yaml.safe_load(text).get("stages", {})) for text in texts)
    outs = {out for stage in after.values() for out in _hashes(stage, "outs")}
    changed = []
    for name, stage in after.items():
        earlier = before.get(name)
        if earlier is None or _inputs(stage, outs) != _inputs(earlier, outs):
            return []
        known = _hashes(earlier, "outs")
        changed += [out for out, md5 in _hashes(stage, "outs").items() if known.get(out) != md5]
    trained = [out for out in changed if out.startswith(TRAINED)]
    others = [out for out in changed if not out.startswith(TRAINED)]
    lines = []
    if others:
        lines.append(
            f"Other bytes than committed: {', '.join(others)}. They should be the same on every machine: run "
            "`make env` for the pinned packages, then `dvc repro --force`, and report it if they stay different."
        )
    if trained:
        lines.append(
            f"Other bytes than committed: {', '.join(trained)}. Training may end in other last bits on another kind of "
            "processor; the metrics above are those of your training. `git commit -am 'Reproduced here'` makes it what "
            "experiments are compared with and go back to."
        )
    return lines


def _hashes(stage: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {item["path"]: item.get("md5", "") for item in stage.get(kind, [])}


def _inputs(stage: Mapping[str, Any], outs: set[str]) -> tuple[Any, ...]:
    """A stage's inputs from outside the pipeline: command, parameters and code."""
    code = {path: md5 for path, md5 in _hashes(stage, "deps").items() if path not in outs}
    return stage["cmd"], stage.get("params"), code
