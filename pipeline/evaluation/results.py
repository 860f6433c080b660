"""What an evaluation or a score found, as its tables have it."""

import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation.registry import BASELINES, FIRST, METRICS
from pipeline.evaluation.tables import ABSENT, CLIPS, DIFFERENCES, INFO, INTERVALS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

TEXTS = ("id", "speaker", "seen", "method", "against", "metric", "group", "aligned", "sound", "note", "reason")
"""Columns of text, whatever a clip is called."""


@dataclass(frozen=True)
class Results:
    """The tables of a folder; those that are not there are empty."""

    metrics: pd.DataFrame
    """A row per method, group and metric: mean, low, high, clips."""
    clips: pd.DataFrame
    """A row per clip and method."""
    absent: pd.DataFrame
    """Metrics that clips lack, with the reason."""
    differences: pd.DataFrame
    """Of pairs of methods."""
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def is_score(self) -> bool:
        """Whether these are videos of any systems, and not an evaluation of the project's models."""
        return self.info.get("kind") == "score"

    @property
    def methods(self) -> list[str]:
        """The system, and then the others in the table's order; of a score all systems, and then the references."""
        names = [name for name in dict.fromkeys([self.system, *self.metrics["method"]]) if name]
        return systems_first(names) if self.is_score else names

    @property
    def groups(self) -> list[str]:
        """``all``, ``seen``, ``speaker:NAME`` and so on, in the table's order."""
        return list(dict.fromkeys(self.metrics["group"]))

    @property
    def system(self) -> str:
        """The method that the others stand beside: the whole system, or of a score the first that is scored."""
        whole = [entry.name for entry in BASELINES.values() if "atvgnet" in entry.judges]
        there = list(dict.fromkeys(self.metrics["method"]))
        others = [name for name in there if name not in BASELINES]
        return next((name for name in [*whole, *others, *there] if name in there), "")

    def title(self, method: str) -> str:
        """What a method is; empty where nothing is said of it."""
        told = self.info.get("methods", {}).get(method, "")
        return told or (BASELINES[method].title if method in BASELINES else "")

    def group(self, group: str) -> dict[str, dict[str, Any]]:
        """The rows of a group by metric and method, with the columns as attributes.

        Metrics are in the registry's order; of a score, those of `FIRST` come first.
        """
        rows = self.metrics[self.metrics["group"] == group]
        found: dict[str, dict[str, Any]] = {}
        for row in rows_of(rows):
            found.setdefault(row.metric, {})[row.method] = row
        order = important_first(found) if self.is_score else in_order(found)
        return {name: found[name] for name in order}


def read_results(folder: StrPath) -> Results:
    """The tables of an evaluation's folder. PipelineError when nothing was evaluated yet."""
    folder = Path(folder)
    if not (folder / INTERVALS).exists():
        raise PipelineError(f"{folder / INTERVALS} is missing. Run `dvc repro` first.")
    tables = {name: _read(folder / name) for name in (INTERVALS, CLIPS, ABSENT, DIFFERENCES)}
    info = json.loads((folder / INFO).read_text(encoding="utf-8")) if (folder / INFO).exists() else {}
    return Results(tables[INTERVALS], tables[CLIPS], tables[ABSENT], tables[DIFFERENCES], info)


def _read(path: Path) -> pd.DataFrame:
    return read_table(path.read_bytes()) if path.exists() else pd.DataFrame(columns=list(TEXTS))


def read_table(data: bytes) -> pd.DataFrame:
    """One of the tables; a number that is absent is NaN, and a text is a text, also of a clip called NA or 007."""
    columns = pd.read_csv(io.BytesIO(data), nrows=0).columns
    numbers = [name for name in columns if name not in TEXTS]
    return pd.read_csv(
        io.BytesIO(data),
        dtype={name: str for name in TEXTS},
        keep_default_na=False,
        na_values={name: [""] for name in numbers},
    )


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Its rows, with the columns as attributes."""
    return iter(table.itertuples())


def in_order(names: Iterable[str]) -> list[str]:
    """Names of metrics in the registry's order; what it does not know comes last."""
    names = list(names)
    return [name for name in METRICS if name in names] + [name for name in names if name not in METRICS]


def important_first(names: Iterable[str]) -> list[str]:
    """Names of metrics: those of `FIRST`, and then the others in the registry's order."""
    names = in_order(names)
    return [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]


def systems_first(methods: Iterable[str]) -> list[str]:
    """The systems under test, and then the references, which are called as baselines are; both in their order."""
    return sorted(methods, key=lambda name: name in BASELINES)


def name_of(name: str) -> str:
    """A metric by its name, as options and tables have it, with its arrow."""
    return f"{name} {arrow_of(name)}".rstrip() if name in METRICS else name


def arrow_of(name: str) -> str:
    """The direction of a metric; empty where neither the highest nor the lowest is best."""
    entry = METRICS[name]
    return "" if entry.nearest else "↑" if entry.higher_is_better else "↓"


def title_of(name: str) -> str:
    """As reports call a metric, with an arrow for its direction where it has one."""
    entry = METRICS.get(name)
    if entry is None:
        return name
    return f"{entry.title} {arrow_of(name)}".rstrip()


def interval_text(row: Any, name: str) -> str:
    """``mean [low, high]`` of a metric, the mean alone of a single clip; ``row`` has them as attributes."""
    return _with_ends(row, name, "")


def difference_text(row: Any, name: str) -> str:
    """The same of a difference, with signs."""
    return _with_ends(row, name, "+")


def _with_ends(row: Any, name: str, sign: str) -> str:
    mean, low, high = (number_text(one, name, sign) for one in (row.mean, row.low, row.high))
    return mean if math.isnan(row.low) else f"{mean} [{low}, {high}]"


def number_text(value: float, name: str, sign: str = "") -> str:
    """With the metric's digits."""
    return f"{value:{sign}.{METRICS[name].digits if name in METRICS else 3}f}"
