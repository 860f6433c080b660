"""A comparison in the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.comparison.paired import UNCLEAR, Comparison
from pipeline.evaluation.results import difference_text, number_text, rows_of, title_of


def print_comparison(comparison: Comparison) -> None:
    """Print per method and metric both means, the paired difference with its 95% interval, and what that says."""
    before, after = comparison.before.name, comparison.after.name
    title = f"{after} beside {before}: per-clip differences with 95% intervals"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("method", "metric"):
        table.add_column(name, no_wrap=True)
    for name in ("before", "after", "difference", "clips"):
        table.add_column(name, justify="right")
    table.add_column("")
    for method, rows in comparison.differences.groupby("method", sort=False):
        for row in rows_of(rows):
            means = (number_text(one, row.metric) for one in (row.before, row.after))
            verdict = "" if row.verdict == UNCLEAR else row.verdict
            change = difference_text(row, row.metric)
            table.add_row(str(method), title_of(row.metric), *means, change, str(row.clips), verdict)
        table.add_section()
    console = Console()
    console.print(table)
    console.print(
        "↑ higher is better, ↓ lower. What is not marked may be chance: 0 lies in its interval.", highlight=False
    )
    console.print("Metrics without an arrow are best near to a value: their distance from it.", highlight=False)
    for note in comparison.notes:
        console.print(note, highlight=False)
