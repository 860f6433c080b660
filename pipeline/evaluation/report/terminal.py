"""The metrics of an evaluation as a table in the terminal, how many clips were rejected, and where to go on."""

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console

from pipeline.evaluation.folder import PAGE
from pipeline.evaluation.results import important_first, name_of, number_text, read_results, rows_of
from pipeline.evaluation.tables import ALL, CLIPS, INTERVALS
from pipeline.prepare.quality import SHEET, TABLE
from pipeline.runtime import paths
from pipeline.runtime.paths import StrPath
from pipeline.runtime.terminal import print_table
from pipeline.tracking.pages import where_to_look


def print_report(reports: StrPath, quality: StrPath = paths.QUALITY) -> None:
    """Print the metrics, those of the system with their 95% intervals, and how many clips were rejected. PipelineError
    when nothing was evaluated yet.
    """
    reports, quality = Path(reports), Path(quality)
    results = read_results(reports)
    rows, console = results.group(ALL), Console()
    title = "Means over clips; ± half the 95% interval"
    print_table(console, title, ["metric", *results.methods], _rows(rows, results.methods))
    for method in results.methods:
        console.print(f"  {method:12} {results.title(method)}", highlight=False, soft_wrap=True)
    console.print(
        "↑ higher is better, ↓ lower. Units, formulas and sources: docs/metrics.md", highlight=False, soft_wrap=True
    )
    absent = [row for row in rows_of(results.absent) if row.metric not in rows]
    for reason in dict.fromkeys(row.reason for row in absent):
        names = dict.fromkeys(row.metric for row in absent if row.reason == reason)
        console.print(f"absent: {', '.join(names)}: {reason}", highlight=False, soft_wrap=True)
    if (quality / TABLE).exists():
        console.print(_clips(quality), highlight=False, soft_wrap=True)
    page = reports / PAGE
    console.print(
        f"All intervals: {reports / INTERVALS}   each clip: {reports / CLIPS}", highlight=False, soft_wrap=True
    )
    console.print(f"Pictures: {reports}/pictures   videos: {reports}/videos", highlight=False, soft_wrap=True)
    if page.exists():
        console.print(f"All of it as a page for any browser: {page}", highlight=False, soft_wrap=True)


def _rows(rows: dict[str, dict[str, Any]], methods: list[str]) -> list[list[str]]:
    """A row per metric with the means of all methods; of the first one, which is the system, with half the width of
    the interval.
    """
    shown = []
    for metric in important_first(rows):
        cells = rows[metric]
        means = [number_text(cells[one].mean, metric) if one in cells else "-" for one in methods]
        system = cells.get(methods[0])
        if system is not None and not math.isnan(system.low):
            means[0] += f" ±{number_text((system.high - system.low) / 2, metric)}"
        shown.append([name_of(metric), *means])
    return shown


def print_next() -> None:
    """Print what to open and do next, with the addresses of MLflow's pages where there are any."""
    print("Next: dvc plots show   |   dvc exp run -S vgnet.lr=2e-4")
    for line in where_to_look():
        print(line)


def _clips(quality: Path) -> str:
    rejected = [status != "ok" for status in pq.read_table(quality / TABLE, columns=["status"])["status"].to_pylist()]
    if not any(rejected):
        return f"Clips: {len(rejected)}, none rejected; their quality: {quality / TABLE}"
    share = f"{sum(rejected)} rejected ({sum(rejected) / len(rejected):.1%})"
    return f"Clips: {len(rejected)}, {share}, shown in {quality / SHEET}; all metrics and reasons: {quality / TABLE}"
