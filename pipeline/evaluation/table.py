"""The metrics of the last evaluation as a table in the terminal."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.errors import PipelineError

COLUMNS = {"psnr": "PSNR, dB", "ssim": "SSIM", "lmd": "LMD, px", "f_lmd": "face LMD, px", "lost": "no face found"}
METHODS = {
    "static": "static: the first frame repeated",
    "vg_gt": "vg_gt: VG-net on real landmarks",
    "at_vg": "at_vg: speech alone",
}


def print_report(reports: Path) -> None:
    """Print metrics.json with its 95% intervals, and what to look at next. PipelineError when nothing was evaluated
    yet.
    """
    path = reports / "metrics.json"
    if not path.exists():
        raise PipelineError(f"{path} is missing. Run `dvc repro` first.")
    summary = json.loads(path.read_text())
    table = Table(title="Test split: means over clips with 95% intervals")
    table.add_column("method")
    for title in COLUMNS.values():
        table.add_column(title, justify="right")
    for method, figures in summary.items():
        table.add_row(METHODS.get(method, method), *(_cell(figures, name) for name in COLUMNS))
    console = Console()
    console.print(table)
    console.print(f"Pictures: {reports}/pictures   videos: {reports}/videos", highlight=False)
    console.print("Next: dvc plots show   |   mlflow ui   |   dvc exp run -S vgnet.lr=2e-4", highlight=False)


def _cell(figures: dict[str, float], name: str) -> str:
    if name not in figures:
        return "-"
    return f"{figures[name]:.3f} [{figures[f'{name}_low']:.3f}, {figures[f'{name}_high']:.3f}]"
