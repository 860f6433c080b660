"""The metrics of an evaluation as a table in the terminal, how many clips were rejected, and where to go on."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.folder import PAGE
from pipeline.evaluation.registry import METRICS
from pipeline.evaluation.results import in_order, interval_text, read_results, rows_of, title_of
from pipeline.evaluation.tables import ALL
from pipeline.prepare.quality import SHEET, TABLE
from pipeline.runtime import paths
from pipeline.runtime.paths import StrPath
from pipeline.tracking.pages import where_to_look

TITLE, COLUMN = 36, 16
"""Characters that a metric's title and a method's column take at most."""


def print_report(reports: StrPath, quality: StrPath = paths.QUALITY) -> None:
    """Print the metrics with their 95% intervals, and how many clips were rejected. PipelineError when nothing was
    evaluated yet.
    """
    reports, quality = Path(reports), Path(quality)
    results = read_results(reports)
    rows, console = results.group(ALL), Console()
    many = max(1, (console.width - TITLE) // COLUMN)
    for start in range(0, len(results.methods), many):
        console.print(_table(rows, results.methods[start : start + many]))
    for method in results.methods:
        console.print(f"  {method:12} {results.title(method)}", highlight=False)
    units = ", ".join(f"{METRICS[one].title} in {METRICS[one].unit}" for one in in_order(rows) if _has_unit(one))
    console.print(f"↑ higher is better, ↓ lower. {units}.", highlight=False)
    for row in rows_of(results.absent.drop_duplicates(["metric", "reason"])):
        if row.metric not in rows:
            console.print(f"{title_of(row.metric)} is absent: {row.reason}", highlight=False)
    if (quality / TABLE).exists():
        console.print(_clips(quality), highlight=False)
    page = reports / PAGE
    console.print(f"Pictures: {reports}/pictures   videos: {reports}/videos", highlight=False)
    if page.exists():
        console.print(f"All of it as a page for any browser: {page}", highlight=False)


def _table(rows: dict[str, dict[str, Any]], methods: list[str]) -> Table:
    table = Table(title="Means over clips with 95% intervals", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("metric", max_width=TITLE)
    for method in methods:
        table.add_column(method, justify="right")
    for metric, cells in rows.items():
        shown = (interval_text(cells[one], metric) if one in cells else "-" for one in methods)
        table.add_row(title_of(metric), *(one.replace(" [", "\n\\[") for one in shown))
    return table


def _has_unit(metric: str) -> bool:
    return metric in METRICS and bool(METRICS[metric].unit)


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
