"""What a personalized bundle is worth, as a table in the terminal."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.registry import METRICS
from pipeline.personalize.personalize import TABLE, Personalized


def print_report(found: Personalized, out: Path) -> None:
    """Print means over the held-out clips before and after, what was learnt from, and where things lie."""
    titles = {
        entry.name: (f"{entry.title} {'↑' if entry.higher_is_better else '↓'}", entry.digits)
        for entry in METRICS.values()
    }
    titles |= {"csim": ("CSIM ↑", 3), "sharpness": ("Sharpness ↑", 3)}
    table = Table(title="Held-out clips: means", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for title, _ in titles.values():
        table.add_column(title, justify="right")
    for method, row in found.metrics.items():
        table.add_row(
            method, *(f"{row[name]:.{digits}f}" if name in row else "-" for name, (_, digits) in titles.items())
        )
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
