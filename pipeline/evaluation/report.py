"""The metrics of the last evaluation as a table in the terminal, and how many clips were rejected."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.metrics.base import MetricEntry
from pipeline.evaluation.registry import BASELINES, METRICS
from pipeline.prepare.quality import SHEET, TABLE
from pipeline.runtime import paths
from pipeline.runtime.errors import PipelineError
from pipeline.runtime.paths import StrPath


def print_report(reports: StrPath, quality: StrPath = paths.QUALITY) -> None:
    """Print metrics.json with its 95% intervals, how many clips were rejected, and what to open next. PipelineError
    when nothing was evaluated yet.
    """
    reports, quality = Path(reports), Path(quality)
    path = reports / "metrics.json"
    if not path.exists():
        raise PipelineError(f"{path} is missing. Run `dvc repro` first.")
    summary = json.loads(path.read_text())
    table = Table(title="Test split: means over clips with 95% intervals", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("baseline", no_wrap=True)
    for entry in METRICS.values():
        table.add_column(f"{entry.title} {'↑' if entry.higher_is_better else '↓'}", justify="right")
    for baseline, metrics in summary.items():
        table.add_row(baseline, *(_cell(metrics, entry) for entry in METRICS.values()))
    console = Console()
    console.print(table)
    for baseline in BASELINES.values():
        console.print(f"  {baseline.name:6} {baseline.title}", highlight=False)
    units = ", ".join(f"{entry.title} in {entry.unit}" for entry in METRICS.values() if entry.unit)
    console.print(f"↑ higher is better, ↓ lower. {units}.", highlight=False)
    if (quality / TABLE).exists():
        console.print(_clips(quality), highlight=False)
    console.print(f"Pictures: {reports}/pictures   videos: {reports}/videos", highlight=False)
    console.print("Next: dvc plots show   |   mlflow ui   |   dvc exp run -S vgnet.lr=2e-4", highlight=False)


def _clips(quality: Path) -> str:
    rejected = [status != "ok" for status in pq.read_table(quality / TABLE, columns=["status"])["status"].to_pylist()]
    if not any(rejected):
        return f"Clips: {len(rejected)}, none rejected; their quality: {quality / TABLE}"
    share = f"{sum(rejected)} rejected ({sum(rejected) / len(rejected):.1%})"
    return f"Clips: {len(rejected)}, {share}, shown in {quality / SHEET}; all metrics and reasons: {quality / TABLE}"


def _cell(metrics: dict[str, float], entry: MetricEntry) -> str:
    if entry.name not in metrics:
        return "-"
    mean, low, high = (f"{metrics[entry.name + end]:.{entry.digits}f}" for end in ("", "_low", "_high"))
    return f"{mean}\n{low}-{high}"
