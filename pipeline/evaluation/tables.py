"""The tables of an evaluation: a row per clip and method, means with intervals by group, and absent metrics."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.evaluation.baselines import AT_VG, STATIC
from pipeline.evaluation.bootstrap import intervals
from pipeline.metrics import DECIDING, METRICS
from pipeline.runtime.paths import StrPath

CLIPS, INTERVALS, MEANS = "clips.csv", "metrics.csv", "metrics.json"
"""A row per clip and method; means with their 95% intervals by group; means over all clips."""
ALL_MEANS = "means.json"
"""All means, if metrics.json has only the headline."""
HEADLINE = {AT_VG: (DECIDING, "psnr", "ssim"), STATIC: (DECIDING,)}
"""The means that DVC shows, by method: it prints a column per key, and these fit into 80 characters."""
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


@dataclass(frozen=True)
class ClipResult:
    """A clip by one method."""

    row: dict[str, Any]
    """Its row of clips.csv."""
    absent: dict[str, str]
    """By metric the reason why it has no value."""
    parts: dict[str, float] = field(default_factory=dict)
    """The deciding metric over the frames of each `word:WORD` and `phoneme:CLASS`."""


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


def summarize(clips: pd.DataFrame, seed: int, results: Iterable[ClipResult] = ()) -> pd.DataFrame:
    """The rows of metrics.csv: ``method, group, metric, mean, low, high, clips``.

    Means are over the clips with the metric. Their 95% intervals (`intervals`) have speakers as strata; they are empty
    if only one clip has the metric. A metric without any clip is left out, and so is a group that equals `ALL`.
    Words and phonemes of the clips in ``results`` become groups with the deciding metric only.
    """
    columns = [(metric, method) for method, metric in product(dict.fromkeys(clips["method"]), METRICS)]
    wide = clips.pivot(index=["id", "speaker", "seen"], columns="method", values=list(METRICS))
    groups = [(group, wide[chosen]) for group, chosen in _groups(wide.index.to_frame(index=False)).items()]
    rows = []
    for group, table in [*groups, *_parts(results)]:
        values = table.reindex(columns=pd.MultiIndex.from_tuples(columns)).to_numpy(np.float64)
        low, high = intervals(values, list(table.index.get_level_values("speaker")), seed)
        count = (~np.isnan(values)).sum(axis=0)
        mean = np.nansum(values, axis=0) / np.maximum(count, 1)
        rows += [
            (method, group, metric, *(round(float(row[at]), DIGITS) for row in (mean, low, high)), int(count[at]))
            for at, (metric, method) in enumerate(columns)
            if count[at]
        ]
    return pd.DataFrame(rows, columns=["method", "group", "metric", "mean", "low", "high", "clips"])


def _parts(results: Iterable[ClipResult]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The groups of words and phonemes, with a row per clip and the deciding metric by method."""
    parts = [
        {**result.row, "group": group, DECIDING: value} for result in results for group, value in result.parts.items()
    ]
    table = pd.DataFrame(parts, columns=["id", "speaker", "method", "group", DECIDING])
    for group, rows in table.groupby("group"):
        yield str(group), rows.pivot(index=["id", "speaker"], columns="method", values=[DECIDING])


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
    return _chosen(summary, dict.fromkeys(reversed(summary), sorted(METRICS, key=lambda name: name != DECIDING)))


def headline(summary: Summary) -> Summary:
    """The means that HEADLINE names, or HEADLINE_CROSS if there are none, as in the protocol `cross`."""
    headlines = (_chosen(summary, wanted) for wanted in (HEADLINE, HEADLINE_CROSS))
    with_values = ({method: row for method, row in chosen.items() if row} for chosen in headlines)
    return next(filter(None, with_values), {})


def _chosen(summary: Summary, wanted: Mapping[str, Iterable[str]]) -> Summary:
    """The values of a `Summary` that are ``wanted`` by method."""
    return {
        method: {name: summary[method][name] for name in names if name in summary[method]}
        for method, names in wanted.items()
        if method in summary
    }


def write_tables(
    out: StrPath,
    clips: pd.DataFrame,
    seed: int,
    results: Sequence[ClipResult] = (),
    info: Mapping[str, Any] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    short: bool = False,
) -> Summary:
    """Write all tables into the folder ``out``, and return the summary of all clips.

    ``clips`` is the table of `tabulate`; ``seed`` is of the bootstrap; ``results`` have the absent metrics, words and
    phonemes of clips. differences.csv is written only if there are ``pairs`` of methods. With ``short``, metrics.json
    has only the `headline`, and means.json all means.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    table = summarize(clips, seed, results)
    summary = overall(table)
    _write(out / CLIPS, clips)
    _write(out / INTERVALS, table)
    counted = Counter((result.row["method"], *absence) for result in results for absence in result.absent.items())
    absent = [(*absence, count) for absence, count in counted.items()]
    _write(out / ABSENT, pd.DataFrame(absent, columns=["method", "metric", "reason", "clips"]))
    if pairs:
        _write(out / DIFFERENCES, differences(clips, pairs, seed))
    contents = {MEANS: headline(summary), ALL_MEANS: means(summary)} if short else {MEANS: means(summary)}
    for name, content in {**contents, INFO: info or {}}.items():
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        (out / name).write_text(text + "\n", encoding="utf-8")
    return summary


def _write(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")
