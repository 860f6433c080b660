"""What a project's page tells besides the metrics: how it was trained, on what, and by which code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipeline.config.file import load_params
from pipeline.prepare.quality import TABLE
from pipeline.prepare.quality.table import summary
from pipeline.runtime import paths
from pipeline.runtime.checkout import git

LOCK = Path("dvc.lock")
MODELS = tuple(folder.as_posix() for folder in (paths.LANDMARKS_MODEL, paths.ATNET, paths.VGNET))
"""What studies are of, as DVC's locks name it."""


@dataclass(frozen=True)
class Project:
    """The project in the working directory."""

    histories: dict[str, pd.DataFrame]
    """By network."""
    quality: dict[str, Any]
    """The summary of the quality table; empty where there is none."""
    rejected: pd.DataFrame
    """Rejected clips: id, stage and reason."""
    params: dict[str, str]
    """By dotted name."""
    hashes: dict[str, str]
    """Of the outs that were evaluated, as dvc.lock has them."""
    study_models: dict[str, str]
    """Hashes of the models that the tables of studies belong to; empty where none were locked."""
    studies_commit: str
    """The last commit of those tables, and its date; empty outside git."""
    commit: str
    """Of the working tree; empty outside git."""
    changed: bool
    """Whether the working tree differs from it."""


def read_project() -> Project:
    """What there is of it."""
    histories = {folder.name: folder / "history.csv" for folder in (paths.ATNET, paths.VGNET)}
    table = pd.read_parquet(paths.QUALITY / TABLE) if (paths.QUALITY / TABLE).exists() else None
    columns = ["id", "stage", "reason"]
    return Project(
        histories={name: pd.read_csv(path) for name, path in histories.items() if path.exists()},
        quality={} if table is None else summary(table),
        rejected=pd.DataFrame(columns=columns) if table is None else table[table["status"] != "ok"][columns],
        params=_params(),
        hashes=_hashes(),
        study_models=_study_models(),
        studies_commit=git("log", "-1", "--format=%h of %cs", "--", f"{paths.STUDIES}/*.csv"),
        commit=git("rev-parse", "HEAD"),
        changed=bool(git("status", "--porcelain", "--untracked-files=no")),
    )


def _params() -> dict[str, str]:
    if not paths.PARAMS.exists():
        return {}
    load_params(paths.PARAMS)  # says what is wrong with it
    return _flat(yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8")))


def _flat(tree: Any, prefix: str = "") -> dict[str, str]:
    if not isinstance(tree, dict):
        return {prefix: "" if tree is None else str(tree)}
    parts = (_flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in tree.items())
    return {key: value for part in parts for key, value in part.items()}


def _hashes() -> dict[str, str]:
    stages = _locked(LOCK)
    stages.pop("evaluate", None)  # while it runs its own are those of the time before
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", []) if "md5" in out}


def _study_models() -> dict[str, str]:
    deps = _locked(paths.STUDIES / LOCK).get("studies", {}).get("deps", [])
    return {dep["path"]: dep["md5"] for dep in deps if dep["path"] in MODELS and "md5" in dep}


def _locked(path: Path) -> dict[str, Any]:
    """The stages of one of DVC's locks; none where it is missing."""
    tree = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    stages: dict[str, Any] = (tree or {}).get("stages", {})
    return stages
