"""Results of an evaluation or a score: its tables, read and put into words."""

import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.tables import ABSENT, CLIPS, DIFFERENCES, INFO, INTERVALS
from pipeline.metrics import FIRST, METRICS
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath

TEXTS = ("id", "speaker", "seen", "method", "against", "metric", "group", "aligned", "sound", "note", "reason")
"""Columns of text, also where a clip is called 007 or NA."""
A_FRAGMENT = "a fragment"
"""Start of the reason in a row of clips.csv whose video has too few frames to be a clip."""
PREDICTED = tuple(name for name, entry in METRICS.items() if entry.compares in ("drawn", "coefficients"))
"""Metrics of predicted landmarks. A score leaves out that they are absent, because no video has such landmarks."""
HIDDEN = 0.005
"""Share of the real face's crop that a system must hide to be reported."""


@dataclass(frozen=True)
class Results:
    """The tables of a folder; missing ones are empty."""

    metrics: pd.DataFrame
    """A row per method, group and metric: mean, low, high, clips."""
    clips: pd.DataFrame
    """A row per clip and method."""
    absent: pd.DataFrame
    """Absent metrics, with the reason and the number of clips."""
    differences: pd.DataFrame
    """Differences between pairs of methods."""
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def is_score(self) -> bool:
        """Whether videos of any systems were scored, instead of the project's models evaluated."""
        return self.info.get("kind") == "score"

    @property
    def methods(self) -> list[str]:
        """The system, then the others in the table's order. In a score, all systems come before the references."""
        names = [name for name in dict.fromkeys([self.system, *self.metrics["method"]]) if name]
        return systems_first(names) if self.is_score else names

    @property
    def groups(self) -> list[str]:
        """``all``, ``seen``, ``speaker:NAME`` and so on, in the table's order."""
        return list(dict.fromkeys(self.metrics["group"]))

    @property
    def system(self) -> str:
        """The main method: the whole system, or the first system of a score."""
        whole = [entry.name for entry in BASELINES.values() if "atvgnet" in entry.decides]
        present = list(dict.fromkeys(self.metrics["method"]))
        others = [name for name in present if name not in BASELINES]
        return next((name for name in [*whole, *others, *present] if name in present), "")

    def title(self, method: str) -> str:
        """The description of a method; empty if there is none."""
        title = self.info.get("methods", {}).get(method, "")
        return title or (BASELINES[method].title if method in BASELINES else "")

    def group(self, group: str) -> dict[str, dict[str, Any]]:
        """The rows of a group by metric and method, with the columns as attributes.

        Metrics are in the registry's order; in a score, those of `FIRST` come first.
        """
        by_metric: dict[str, dict[str, Any]] = {}
        for row in rows_of(self.metrics[self.metrics["group"] == group]):
            by_metric.setdefault(row.metric, {})[row.method] = row
        order = important_first(by_metric) if self.is_score else in_order(by_metric)
        return {name: by_metric[name] for name in order}


def read_results(folder: StrPath) -> Results:
    """Read the tables of an evaluation's folder. Raises PipelineError if nothing was evaluated yet."""
    folder = Path(folder)
    if not (folder / INTERVALS).exists():
        raise PipelineError(f"{folder / INTERVALS} is missing. Run `dvc repro` first.")
    metrics, clips, absent, differences = (
        read_table((folder / name).read_bytes()) if (folder / name).exists() else pd.DataFrame(columns=list(TEXTS))
        for name in (INTERVALS, CLIPS, ABSENT, DIFFERENCES)
    )
    info = json.loads((folder / INFO).read_text(encoding="utf-8")) if (folder / INFO).exists() else {}
    results = Results(metrics, clips, absent, differences, info)
    return replace(results, absent=absent[~absent["metric"].isin(PREDICTED)]) if results.is_score else results


def read_table(data: bytes) -> pd.DataFrame:
    """Read a table from CSV. Absent numbers are NaN; columns of `TEXTS` stay texts."""
    columns = pd.read_csv(io.BytesIO(data), nrows=0).columns
    na_values = {name: [""] for name in columns if name not in TEXTS}
    return pd.read_csv(io.BytesIO(data), dtype=dict.fromkeys(TEXTS, str), keep_default_na=False, na_values=na_values)


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, with the columns as attributes."""
    return iter(table.itertuples())


def in_order(names: Iterable[str]) -> list[str]:
    """Names of metrics in the registry's order; unknown names come last."""
    names = list(names)
    return [name for name in METRICS if name in names] + [name for name in names if name not in METRICS]


def important_first(names: Iterable[str]) -> list[str]:
    """Names of metrics: those of `FIRST`, then the others in the registry's order."""
    names = in_order(names)
    return [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]


def systems_first(methods: Iterable[str]) -> list[str]:
    """The systems under test, then the references, which have names of baselines; each in their order."""
    return sorted(methods, key=lambda name: name in BASELINES)


def name_of(name: str) -> str:
    """The name of a metric with its arrow, such as `lmd ↓`."""
    return f"{name} {arrow_of(name)}".rstrip() if name in METRICS else name


def arrow_of(name: str) -> str:
    """The arrow of a metric's direction; empty if neither the highest nor the lowest is best."""
    entry = METRICS[name]
    return "" if entry.nearest else "↑" if entry.higher_is_better else "↓"


def title_of(name: str) -> str:
    """The title of a metric with its arrow."""
    return f"{METRICS[name].title} {arrow_of(name)}".rstrip() if name in METRICS else name


def interval_text(row: Any, sign: str = "") -> str:
    """``mean [low, high]`` of a row with a metric, or the mean alone for a single clip. ``sign`` may be ``+``."""
    mean, low, high = (number_text(value, row.metric, sign) for value in (row.mean, row.low, row.high))
    return mean if math.isnan(row.low) else f"{mean} [{low}, {high}]"


def difference_text(row: Any) -> str:
    """The same with signs, for a difference."""
    return interval_text(row, "+")


def number_text(value: float, name: str, sign: str = "") -> str:
    """A value with the metric's decimal places."""
    return f"{value:{sign}.{METRICS[name].digits if name in METRICS else 3}f}"


def extremes(clips: pd.DataFrame, method: str, metric: str) -> dict[str, str]:
    """The ids of the ``best``, ``median`` and ``worst`` clip of a method by a metric; they may coincide.

    ``clips`` is the table clips.csv. The first of equal clips is taken. Without any value the result is empty.
    """
    values = clips[clips["method"] == method].set_index("id")[metric].dropna()
    ordered = values.sort_values(ascending=not METRICS[metric].higher_is_better, kind="stable").index
    if not len(ordered):
        return {}
    return {"best": ordered[0], "median": ordered[(len(ordered) - 1) // 2], "worst": ordered[-1]}


def notes_by_system(clips: pd.DataFrame) -> Iterator[str]:
    """Lines to read before a score's means: on fragments, and on the hidden part of the face, by system.

    ``clips`` is the table clips.csv. An evaluation, which lacks such columns, has no notes.
    """
    if not {"reason", "shown", "note"} <= set(clips):
        return
    for system, rows in clips.groupby("method", sort=False):
        fragments = int(rows["reason"].str.startswith(A_FRAGMENT).sum())
        if fragments:
            verb = "is a fragment" if fragments == 1 else "are fragments"
            yield f"{system}: {fragments} of {len(rows)} clips {verb}, left out of the means."
        hidden = 1 - pd.to_numeric(rows["shown"]).dropna()
        if len(hidden) and hidden.mean() >= HIDDEN:
            yield (
                f"{system}: {hidden.mean():.1%} of the real face's crop is not shown (at most {hidden.max():.1%}). "
                "Pixels are compared where both videos show something."
            )
