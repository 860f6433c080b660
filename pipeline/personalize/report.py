"""What a personalized bundle is worth, as a table in the terminal."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.registry import METRICS
from pipeline.personalize.personalize import TABLE, Personalized


def print_report(found: Personalized, out: Path) -> None:
    """Print means over the held-out clips before and after, what was learnt from, and where things lie."""
    table = Table(title="Held-out clips: means", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for method in found.metrics:
        table.add_column(method, justify="right")
    for entry in METRICS.values():
        if any(entry.name in row for row in found.metrics.values()):
            arrow = "" if entry.nearest else " ↑" if entry.higher_is_better else " ↓"
            values = (row.get(entry.name) for row in found.metrics.values())
            cells = ("-" if value is None else f"{value:.{entry.digits}f}" for value in values)
            table.add_row(f"{entry.title}{arrow}", *cells)
    console = Console()
    console.print(table)
    clips = found.clips
    lines = [
        f"Learnt from {clips['train']} clips, validated on {clips['val']}, held out {clips['test']}.",
        f"AT-net: {found.steps.atnet} steps, the weights of step {found.kept['atnet']} are kept; VG-net: "
        f"{found.steps.vgnet}, {found.kept['vgnet']}. Step 0 is as it was before.",
        f"The bundle: {out}   each clip: {out / TABLE}",
        f"Next: atvgnet generate --models {out} -p PICTURE -i SPEECH -o OUT.mp4",
    ]
    for line in lines:
        console.print(line, highlight=False)
