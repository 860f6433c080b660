"""The self-test as a table in the terminal."""

from collections.abc import Hashable
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.registry import METRICS
from pipeline.evaluation.score.self_test import CHANGES, ITSELF

WIDTH = 100
"""Characters that the table takes, whatever the terminal has."""


def print_self_test(table: pd.DataFrame) -> None:
    """Print what every metric made of every change, and which of them did not do as they must."""
    console = Console(width=max(Console().width, WIDTH))
    changes = list(dict.fromkeys(table["change"]))
    shown = Table(title="Means over clips", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("", ITSELF, *changes):
        shown.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for metric, rows in table.groupby("metric", sort=False):
        of_change = {str(row["change"]): row for row in rows.to_dict("records")}
        digits = METRICS[str(metric)].digits
        before = f"{rows['before'].iloc[0]:.{digits}f}"
        shown.add_row(str(metric), before, *(_cell(of_change.get(one), digits) for one in changes))
    console.print(shown)
    for name in changes:
        console.print(f"  {name:9} {CHANGES[name].title}", highlight=False)
    console.print("↓ must get worse, () may change, the others must stay; ! does not.", highlight=False)
    for left_out in [name for name in CHANGES if name != ITSELF and name not in changes]:
        console.print(f"{left_out} was left out: all videos lie in one folder, a speaker's.", highlight=False)
    failed = table[~table["holds"]]
    for row in failed.to_dict("records"):
        console.print(
            f"{row['change']}: {row['metric']} must be {row['expected']}; it is worse by {row['difference']:.4f} "
            f"[{row['low']:.4f}, {row['high']:.4f}].",
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"{len(table) - len(failed)} of {len(table)} hold.", highlight=False)


def _cell(row: dict[Hashable, Any] | None, digits: int) -> str:
    if row is None:
        return "-"
    value = f"{row['value']:.{digits}f}"
    marked = {"worse": f"↓{value}", "free": f"({value})", "same": value}[str(row["expected"])]
    return marked if row["holds"] else f"!{marked}"
