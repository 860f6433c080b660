"""The metrics of an evaluation as a table in the terminal, how many clips were rejected, and where to go on."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.metrics.base import MetricEntry
from pipeline.evaluation.registry import BASELINES, METRICS
from pipeline.evaluation.tables import ALL, INTERVALS
from pipeline.prepare.quality import SHEET, TABLE
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath
from pipeline.tracking.pages import where_to_look


def print_report(reports: StrPath, quality: StrPath = paths.QUALITY) -> None:
    """Print the metrics with their 95% intervals, and how many clips were rejected. PipelineError when nothing was
    evaluated yet.
    """
    reports, quality = Path(reports), Path(quality)
    path = reports / INTERVALS
    if not path.exists():
        raise PipelineError(f"{path} is missing. Run `dvc repro` first.")
    with path.open(encoding="utf-8") as file:
        found = {(row["method"], row["metric"]): row for row in csv.DictReader(file) if row["group"] == ALL}
    table = Table(title="Test split: means over clips with 95% intervals", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    for entry in METRICS.values():
        table.add_column(f"{entry.title} {'↑' if entry.higher_is_better else '↓'}", justify="right")
    for name in dict.fromkeys(method for method, _ in found):
        table.add_row(name, *(_cell(found.get((name, entry.name)), entry) for entry in METRICS.values()))
    console = Console()
    console.print(table)
    for baseline in BASELINES.values():
        console.print(f"  {baseline.name:12} {baseline.title}", highlight=False)
    units = ", ".join(f"{entry.title} in {entry.unit}" for entry in METRICS.values() if entry.unit)
    console.print(f"↑ higher is better, ↓ lower. {units}.", highlight=False)
    if (quality / TABLE).exists():
        console.print(_clips(quality), highlight=False)
    console.print(f"Pictures: {reports}/pictures   videos: {reports}/videos", highlight=False)


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


def _cell(row: Mapping[str, str] | None, entry: MetricEntry) -> str:
    if row is None:
        return "-"
    mean, low, high = (f"{float(row[column]):.{entry.digits}f}" for column in ("mean", "low", "high"))
    return f"{mean}\n{low}-{high}"
