"""The tables of an evaluation: a row per clip and method, means with intervals by group, and absent metrics."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.evaluation.baselines import AT_VG, STATIC, VG_GT
from pipeline.evaluation.bootstrap import intervals
from pipeline.metrics import DECIDING, METRICS
from pipeline.runtime.paths import StrPath

CLIPS, INTERVALS, MEANS = "clips.csv", "metrics.csv", "metrics.json"
"""A row per clip and method; means with their 95% intervals by group; means over all clips."""
ALL_MEANS = "means.json"
"""All means, if metrics.json has only the headline."""
HEADLINE = {AT_VG: (DECIDING, "psnr", "ssim"), VG_GT: (DECIDING,), STATIC: (DECIDING,)}
"""The means that DVC shows, by method: it prints a column per key, and these fit into 90 characters."""
HEADLINE_CROSS = {AT_VG: ("csim", "lip_sync")}
"""The same for the protocol `cross`."""
DIFFERENCES, ABSENT, INFO = "differences.csv", "absent.csv", "info.json"
"""Differences of methods on the same clips; absent metrics with reasons; a description of the evaluation."""

PACKAGES = ("av", "dlib-bin", "numpy", "opencv-python-headless", "torch", "torchmetrics")

KEYS = ("id", "speaker", "seen", "method")
"""First columns of clips.csv; ``seen`` is `yes`, `no`, or empty if unknown."""
ALL = "all"
"""The group of all clips."""
DIGITS = 6

Summary = dict[str, dict[str, float]]
"""By method: ``{"at_vg": {"lmd": ..., "lmd_low": ..., "lmd_high": ...}}``; the mean alone if one clip has it."""


class Absence(NamedTuple):
    """A metric that a clip lacks by a method."""

    method: str
    metric: str
    reason: str


class Part(NamedTuple):
    """The deciding metric over some frames of a clip, by a method."""

    id: str
    speaker: str
    method: str
    group: str
    """`word:WORD` or `phoneme:CLASS`."""
    value: float


@dataclass(frozen=True)
class ClipResult:
    """A clip by one method: its row of clips.csv, why it lacks metrics, the deciding metric by word and phoneme."""

    row: dict[str, Any]
    absent: dict[str, str]
    parts: dict[str, float] = field(default_factory=dict)


def absences_and_parts(results: Iterable[ClipResult]) -> tuple[list[Absence], list[Part]]:
    """The absent metrics and the words and phonemes of all clips."""
    absences: list[Absence] = []
    parts: list[Part] = []
    for result in results:
        clip, speaker, method = (result.row[name] for name in ("id", "speaker", "method"))
        absences += [Absence(method, *absent) for absent in result.absent.items()]
        parts += [Part(clip, speaker, method, *part) for part in result.parts.items()]
    return absences, parts


def program() -> dict[str, Any]:
    """The program's version and those of the packages that affect metrics, for info.json."""
    return {"version": version("atvgnet"), "packages": {name: version(name) for name in PACKAGES}}


def tabulate(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The table clips.csv of rows. A missing metric is NaN, a missing text empty."""
    table = pd.DataFrame(list(rows))
    others = [name for name in table if name not in KEYS and name not in METRICS]
    table = table.reindex(columns=[*KEYS, *others, *METRICS])
    for name in METRICS:
        table[name] = pd.to_numeric(table[name])
    return table.fillna(dict.fromkeys([*KEYS, *others], ""))


def summarize(clips: pd.DataFrame, seed: int, parts: Iterable[Part] = ()) -> pd.DataFrame:
    """The rows of metrics.csv: ``method, group, metric, mean, low, high, clips``.

    Means are over the clips with the metric. Their 95% intervals (`intervals`) have speakers as strata; they are empty
    if only one clip has the metric. A metric without any clip is left out, and so is a group that equals `ALL`.
    Words and phonemes of clips, ``parts``, become groups with the deciding metric only.
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
        with_values = {column: place for place, column in enumerate(columns) if count[place]}
        rows += [
            (method, group, metric, *(round(float(row[at]), DIGITS) for row in (mean, low, high)), int(count[at]))
            for method in methods
            for metric in METRICS
            if (at := with_values.get((metric, method))) is not None
        ]
    return pd.DataFrame(rows, columns=["method", "group", "metric", "mean", "low", "high", "clips"])


def _parts(parts: Iterable[Part], columns: list[tuple[str, str]]) -> Iterator[tuple[str, Any, list[str]]]:
    """The name, the values (clips, columns) and the speakers of each group."""
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
    parts |= {f"speaker:{speaker}": (names["speaker"] == speaker).to_numpy() for speaker in speakers}
    return groups | {name: chosen for name, chosen in parts.items() if chosen.any() and not chosen.all()}


def differences(clips: pd.DataFrame, pairs: Sequence[tuple[str, str]], seed: int) -> pd.DataFrame:
    """The rows of differences.csv: ``method, against, metric, mean, low, high, clips``.

    The mean, over the clips with both values, of the first method's value minus the second's, with its 95% interval.
    The methods differ if the interval excludes 0.
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
                numbers = (round(float(value), DIGITS) for value in (values.mean(), low[place], high[place]))
                rows.append((method, against, metric, *numbers, len(values)))
    return pd.DataFrame(rows, columns=["method", "against", "metric", "mean", "low", "high", "clips"])


def overall(table: pd.DataFrame) -> Summary:
    """The `Summary` of all clips from the table of `summarize`."""
    summary: Summary = {}
    row: Any
    for row in table[table["group"] == ALL].itertuples():
        of_method = summary.setdefault(str(row.method), {})
        ends = {"": row.mean, "_low": row.low, "_high": row.high}
        of_method |= {f"{row.metric}{end}": float(value) for end, value in ends.items() if not math.isnan(value)}
    return summary


def means(summary: Summary) -> Summary:
    """A `Summary` without intervals. The most important values come first, so DVC and MLflow show them first."""
    names = sorted(METRICS, key=lambda name: name != DECIDING)
    return {
        method: {name: summary[method][name] for name in names if name in summary[method]}
        for method in reversed(summary)
    }


def headline(summary: Summary) -> Summary:
    """The means that HEADLINE names, or HEADLINE_CROSS if there are none, as in the protocol `cross`."""
    for wanted in (HEADLINE, HEADLINE_CROSS):
        chosen = {
            method: {name: summary[method][name] for name in names if name in summary[method]}
            for method, names in wanted.items()
            if method in summary
        }
        if with_values := {method: row for method, row in chosen.items() if row}:
            return with_values
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
    """Write all tables into the folder ``out``, and return the summary of all clips.

    ``clips`` is the table of `tabulate`; ``seed`` is of the bootstrap; ``absences`` are absent metrics of clips.
    differences.csv is written only if there are ``pairs`` of methods. With ``short``, metrics.json has only the
    `headline`, and means.json all means.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    table = summarize(clips, seed, parts)
    summary = overall(table)
    counted = Counter(absences)
    _write(out / CLIPS, clips)
    _write(out / INTERVALS, table)
    absent = [(*absence, count) for absence, count in counted.items()]
    _write(out / ABSENT, pd.DataFrame(absent, columns=[*Absence._fields, "clips"]))
    if pairs:
        _write(out / DIFFERENCES, differences(clips, pairs, seed))
    contents = {MEANS: headline(summary), ALL_MEANS: means(summary)} if short else {MEANS: means(summary)}
    for name, content in {**contents, INFO: info or {}}.items():
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        (out / name).write_text(text + "\n", encoding="utf-8")
    return summary


def _write(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")
