"""The tables of an evaluation: a row per clip and method, means with intervals by group, and what is absent and why."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.evaluation.bootstrap import intervals
from pipeline.evaluation.registry import DECIDING, METRICS
from pipeline.runtime.paths import StrPath

CLIPS, INTERVALS, MEANS = "clips.csv", "metrics.csv", "metrics.json"
"""A row per clip and method; means with their 95% intervals by group; means over all clips."""
ALL_MEANS = "means.json"
"""All means, where metrics.json has the headline alone."""
HEADLINE = {"at_vg": ("lmd", "psnr", "ssim"), "vg_gt": ("lmd",), "static": ("lmd",)}
"""By method, the means that DVC shows: it prints a column per key, and 90 characters have room for these."""
HEADLINE_CROSS = {"at_vg": ("csim", "lip_sync")}
"""The same for the protocol `cross`."""
DIFFERENCES, ABSENT, INFO = "differences.csv", "absent.csv", "info.json"
"""What one method has more than another on the same clips; which metrics are absent and why; what was measured."""

PACKAGES = ("av", "dlib-bin", "numpy", "opencv-python-headless", "torch", "torchmetrics")

KEYS = ("id", "speaker", "seen", "method")
"""What a row of clips.csv begins with; ``seen`` is `yes`, `no`, or empty where nobody knows."""
ALL = "all"
"""The group of all clips."""
DIGITS = 6

Summary = dict[str, dict[str, float]]
"""By method: ``{"at_vg": {"lmd": ..., "lmd_low": ..., "lmd_high": ...}}``; the mean alone where one clip has it."""


class Absence(NamedTuple):
    """A metric that a clip does not have by a method."""

    method: str
    metric: str
    reason: str


class Part(NamedTuple):
    """The deciding metric of a clip by a method over some of its frames."""

    id: str
    speaker: str
    method: str
    group: str
    """`word:WORD` or `phoneme:CLASS`."""
    value: float


def program() -> dict[str, Any]:
    """What info.json says of the program: its version, and those of what makes the numbers."""
    return {"version": version("atvgnet"), "packages": {name: version(name) for name in PACKAGES}}


def tabulate(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of clips.csv with all their columns: what is not in a row is NaN, or empty where it is text."""
    table = pd.DataFrame(list(rows))
    others = [name for name in table if name not in KEYS and name not in METRICS]
    table = table.reindex(columns=[*KEYS, *others, *METRICS])
    for name in METRICS:
        table[name] = pd.to_numeric(table[name])
    return table.fillna(dict.fromkeys([*KEYS, *others], ""))


def summarize(clips: pd.DataFrame, seed: int, parts: Iterable[Part] = ()) -> pd.DataFrame:
    """The rows of metrics.csv: ``method, group, metric, mean, low, high, clips``.

    ``clips`` is that of `tabulate`. Means are over the clips that have the metric, the 95% intervals of `intervals`
    with speakers as strata, empty where one clip alone has the metric. A metric that no clip of a group has is left
    out, and a group that is all there is. Of the ``parts`` of clips come groups that have the deciding metric alone.
    """
    methods = list(dict.fromkeys(clips["method"]))
    wide = clips.pivot(index=["id", "speaker", "seen"], columns="method", values=list(METRICS))
    columns = list(product(METRICS, methods))
    wide = wide.reindex(columns=pd.MultiIndex.from_tuples(columns))
    names = wide.index.to_frame(index=False)
    rows = []
    groups = [
        (group, wide.to_numpy(np.float64)[chosen], list(names["speaker"][chosen]))
        for group, chosen in _groups(names).items()
    ]
    for group, values, speakers in [*groups, *_parts(parts, columns)]:
        low, high = intervals(values, speakers, seed)
        count = (~np.isnan(values)).sum(axis=0)
        mean = np.nansum(values, axis=0) / np.maximum(count, 1)
        found = {column: place for place, column in enumerate(columns) if count[place]}
        rows += [
            (method, group, metric, *(round(float(one[at]), DIGITS) for one in (mean, low, high)), int(count[at]))
            for method in methods
            for metric in METRICS
            if (at := found.get((metric, method))) is not None
        ]
    return pd.DataFrame(rows, columns=["method", "group", "metric", "mean", "low", "high", "clips"])


def _parts(parts: Iterable[Part], columns: list[tuple[str, str]]) -> Iterator[tuple[str, Any, list[str]]]:
    """Of each group its name, its values (clips, columns) and its clips' speakers."""
    table = pd.DataFrame(list(parts), columns=Part._fields)
    for group, rows in table.groupby("group"):
        wide = rows.pivot(index=["id", "speaker"], columns="method", values="value")
        values = np.full((len(wide), len(columns)), np.nan)
        for place, (metric, method) in enumerate(columns):
            if metric == DECIDING and method in wide:
                values[:, place] = wide[method]
        yield str(group), values, list(wide.index.get_level_values("speaker"))


def _groups(names: pd.DataFrame) -> dict[str, Any]:
    groups = {ALL: np.ones(len(names), bool)}
    seen = names["seen"].to_numpy()
    parts = {"seen": seen == "yes", "unseen": seen == "no"}
    speakers = sorted(set(names["speaker"]) - {""})
    parts |= {f"speaker:{one}": (names["speaker"] == one).to_numpy() for one in speakers}
    return groups | {name: chosen for name, chosen in parts.items() if chosen.any() and not chosen.all()}


def differences(clips: pd.DataFrame, pairs: Sequence[tuple[str, str]], seed: int) -> pd.DataFrame:
    """The rows of differences.csv: ``method, against, metric, mean, low, high, clips``.

    The mean over clips of the first method's value less the second's, where a clip has both, with its 95% interval; an
    interval without 0 in it says that they differ.
    """
    rows = []
    by_method = {
        str(method): part.set_index(["id", "speaker"])[list(METRICS)]
        for method, part in clips.groupby("method", sort=False)
    }
    for method, against in pairs:
        apart = by_method[method] - by_method[against]
        low, high = intervals(apart.to_numpy(), list(apart.index.get_level_values("speaker")), seed)
        for place, metric in enumerate(METRICS):
            values = apart[metric].dropna()
            if len(values):
                found = (round(float(one), DIGITS) for one in (values.mean(), low[place], high[place]))
                rows.append((method, against, metric, *found, len(values)))
    return pd.DataFrame(rows, columns=["method", "against", "metric", "mean", "low", "high", "clips"])


def overall(table: pd.DataFrame) -> Summary:
    """What `summarize` gives of all clips, by method."""
    summary: Summary = {}
    for row in table[table["group"] == ALL].itertuples():
        of_method = summary.setdefault(str(row.method), {})
        ends = {f"{row.metric}{end}": float(getattr(row, name)) for end, name in _ENDS.items()}
        of_method |= {name: value for name, value in ends.items() if not math.isnan(value)}
    return summary


_ENDS = {"": "mean", "_low": "low", "_high": "high"}


def means(summary: Summary) -> Summary:
    """A `Summary` without its intervals, what matters most first, which DVC and MLflow then show first."""
    names = sorted(METRICS, key=lambda name: name != DECIDING)
    return {
        method: {name: summary[method][name] for name in names if name in summary[method]}
        for method in reversed(summary)
    }


def headline(summary: Summary) -> Summary:
    """The means that HEADLINE names; a method or metric that was not measured is left out.

    The protocol `cross` has no real pictures and so none of these: there they are those of HEADLINE_CROSS.
    """
    for wanted in (HEADLINE, HEADLINE_CROSS):
        chosen = {
            method: {name: summary[method][name] for name in names if name in summary[method]}
            for method, names in wanted.items()
            if method in summary
        }
        if found := {method: row for method, row in chosen.items() if row}:
            return found
    return {}


def write_tables(
    out: StrPath,
    clips: pd.DataFrame,
    seed: int,
    absences: Iterable[Absence] = (),
    info: Mapping[str, Any] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    parts: Iterable[Part] = (),
    short: bool = False,
) -> Summary:
    """Write the tables of ``clips`` (`tabulate`) and return the `Summary`; differences.csv only where there are
    ``pairs`` to compare. If ``short``, metrics.json has the `headline` alone and means.json all means.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    table = summarize(clips, seed, parts)
    summary = overall(table)
    counted = Counter(absences)
    _write(out / CLIPS, clips)
    _write(out / INTERVALS, table)
    _write(out / ABSENT, pd.DataFrame([(*one, clips) for one, clips in counted.items()], columns=_ABSENT))
    if pairs:
        _write(out / DIFFERENCES, differences(clips, pairs, seed))
    contents = {MEANS: headline(summary), ALL_MEANS: means(summary)} if short else {MEANS: means(summary)}
    for name, content in {**contents, INFO: info or {}}.items():
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        (out / name).write_text(text + "\n", encoding="utf-8")
    return summary


_ABSENT = ["method", "metric", "reason", "clips"]


def _write(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")
