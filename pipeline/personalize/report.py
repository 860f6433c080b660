"""What a personalized bundle is worth, as a table in the terminal."""

from pathlib import Path

from rich.console import Console

from pipeline.evaluation.registry import METRICS
from pipeline.evaluation.results import number_text, title_of
from pipeline.personalize.personalize import TABLE, Personalized
from pipeline.runtime.terminal import print_table


def print_report(found: Personalized, out: Path) -> None:
    """Print means over the held-out clips before and after, what was learnt from, and where things lie."""
    rows = []
    for entry in METRICS.values():
        if any(entry.name in row for row in found.metrics.values()):
            values = (row.get(entry.name) for row in found.metrics.values())
            cells = ("-" if value is None else number_text(value, entry.name) for value in values)
            rows.append([title_of(entry.name), *cells])
    console = Console()
    print_table(console, "Held-out clips: means", ["", *found.metrics], rows)
    clips = found.clips
    lines = [
        f"Learnt from {clips['train']} clips, validated on {clips['val']}, held out {clips['test']}.",
        f"AT-net: {found.steps.atnet} steps, the weights of step {found.kept['atnet']} are kept; VG-net: "
        f"{found.steps.vgnet}, {found.kept['vgnet']}. Step 0 is as it was before.",
        f"The bundle: {out}   each clip: {out / TABLE}",
        f"Next: atvgnet generate --models {out} -p PICTURE -i SPEECH -o OUT.mp4",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
