"""The results of an evaluation and of a comparison in the terminal."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.comparison.paired import BETTER, WORSE, Comparison, is_judged, verdict_text
from pipeline.evaluation.folder import PAGE
from pipeline.evaluation.results import (
    Results,
    difference_text,
    important_first,
    name_of,
    number_text,
    read_results,
    rows_of,
)
from pipeline.evaluation.tables import ALL, CLIPS, INTERVALS
from pipeline.prepare.quality import SHEET, TABLE
from pipeline.reports.text_table import print_lines, print_table
from pipeline.runtime import paths
from pipeline.runtime.paths import StrPath
from pipeline.tracking.pages import where_to_look

_KEY = (
    "↑ higher is better, ↓ lower is better. A metric without an arrow has a best",
    "value, and its row shows the distance from it. better, worse: the whole interval",
    "lies on one side of 0. same: the difference rounds to 0. Blank: it may be chance.",
    "Controls have no verdict, because a better control is no improvement.",
)
"""Explains the tables of a comparison."""


def print_report(reports: StrPath, quality: StrPath = paths.QUALITY) -> None:
    """Print the means of all methods, how many clips were rejected, and where all results are.

    Raises PipelineError if there is no evaluation in ``reports``.
    """
    reports, quality = Path(reports), Path(quality)
    results, console = read_results(reports), Console()
    title = "Means over clips; ± half the 95% interval"
    methods, controls = results.methods, list(dict.fromkeys(results.differences["against"]))
    header = ["metric", *methods[:1], *(f"minus {control}" for control in controls), *methods[1:]]
    print_table(console, title, header, _mean_rows(results, controls))
    lines = [f"  {method:12} {results.title(method)}" for method in methods]
    lines += [f"  minus {control}: {results.system} minus {control} on the same clips" for control in controls]
    lines += ["↑ higher is better, ↓ lower. Units, formulas and sources: docs/metrics.md", *_absent(results)]
    if (quality / TABLE).exists():
        lines.append(_rejected(quality))
    lines.append(f"All intervals: {reports / INTERVALS}   each clip: {reports / CLIPS}")
    lines.append(f"Pictures: {reports}/pictures   videos: {reports}/videos")
    if (reports / PAGE).exists():
        lines.append(f"The report as a page: {reports / PAGE}")
    print_lines(console, lines)


def _mean_rows(results: Results, controls: list[str]) -> list[list[str]]:
    """A row per metric: the system's mean with half its interval, its differences from controls, the other means."""
    rows, cells_of = [], results.group(ALL)
    differences = {(row.metric, row.against): difference_text(row) for row in rows_of(results.differences)}
    for metric in important_first(cells_of):
        cells = cells_of[metric]
        means = [number_text(cells[method].mean, metric) if method in cells else "-" for method in results.methods]
        system = cells.get(results.methods[0])
        if system is not None and not math.isnan(system.low):
            means[0] += f" ±{number_text((system.high - system.low) / 2, metric)}"
        rows.append(
            [name_of(metric), means[0], *(differences.get((metric, name), "-") for name in controls), *means[1:]]
        )
    return rows


def _absent(results: Results) -> Iterator[str]:
    """A line per reason why metrics have no value for any method."""
    measured = results.group(ALL)
    absent = [row for row in rows_of(results.absent) if row.metric not in measured]
    for reason in dict.fromkeys(row.reason for row in absent):
        names = dict.fromkeys(row.metric for row in absent if row.reason == reason)
        yield f"absent: {', '.join(names)}: {reason}"


def _rejected(quality: Path) -> str:
    statuses = pq.read_table(quality / TABLE, columns=["status"])["status"].to_pylist()
    rejected = sum(status != "ok" for status in statuses)
    if not rejected:
        return f"Clips: {len(statuses)}, none rejected; their quality: {quality / TABLE}"
    share = f"{rejected} rejected ({rejected / len(statuses):.1%})"
    return f"Clips: {len(statuses)}, {share}, shown in {quality / SHEET}; all metrics and reasons: {quality / TABLE}"


def print_next() -> None:
    """Print what to run and open next, with the addresses of MLflow's pages if there are any."""
    print_lines(Console(), ["Next: dvc plots show   |   dvc exp run -S vgnet.lr=2e-4", *where_to_look()])


def print_comparison(comparison: Comparison) -> None:
    """Print a table per method, the whole system first: both means, the paired difference and its verdict.

    Lines name the methods without any difference, and count the verdicts of each system.
    """
    console, header = Console(), ("metric", "before", "after", "difference", "clips", "verdict")
    names = f"{comparison.after.name} beside {comparison.before.name}"
    print_lines(console, [f"{names}: per-clip differences with 95% intervals", *_KEY, ""])
    equal, counts = [], []
    for method, differences in _by_method(comparison.differences).items():
        if (differences[["mean", "low", "high"]].fillna(0) == 0).all(axis=None):
            equal.append(method)
            continue
        rows = {row.metric: row for row in rows_of(differences)}
        if is_judged(method):
            verdicts = [verdict_text(row) for row in rows.values()]
            counts.append(f"{method}: {verdicts.count(WORSE)} worse, {verdicts.count(BETTER)} better")
        title = f"{method}: {BASELINES[method].title}" if method in BASELINES else method
        cells = [_difference_row(rows[metric]) for metric in important_first(rows)]
        print_table(console, title, header, cells)
    lines = [f"No clip differs in any metric: {', '.join(equal)}."] if equal else []
    print_lines(console, [*lines, *comparison.notes, *counts])


def _by_method(differences: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each method, the whole system first and the real clips last."""
    rows = {str(method): of_method for method, of_method in differences.groupby("method", sort=False)}
    known = [method for method in reversed(BASELINES) if method in rows]
    return {method: rows[method] for method in [*known, *(other for other in rows if other not in BASELINES)]}


def _difference_row(row: Any) -> list[str]:
    means = [number_text(mean, row.metric) for mean in (row.before, row.after)]
    return [name_of(row.metric), *means, difference_text(row), str(row.clips), verdict_text(row)]
