"""The self-test as a table in the terminal."""

from collections.abc import Hashable
from typing import Any

import pandas as pd
from rich.console import Console

from pipeline.evaluation.results import important_first
from pipeline.evaluation.score.columns import WIDTH, table_lines
from pipeline.evaluation.score.self_test import CHANGES, ITSELF, RARE, RARE_CLIPS
from pipeline.metrics import METRICS


def print_self_test(table: pd.DataFrame) -> None:
    """Print what every metric made of every change, and which of them did not do as they must."""
    console = Console(width=WIDTH)
    changes = list(dict.fromkeys(table["change"]))
    shown = {}
    for metric, rows in table.groupby("metric", sort=False):
        of_change = {str(row["change"]): row for row in rows.to_dict("records")}
        digits = METRICS[str(metric)].digits
        before = f"{rows['before'].iloc[0]:.{digits}f}"
        shown[str(metric)] = [before, *(_cell(of_change.get(one), digits) for one in changes)]
    rows_shown = {name: shown[name] for name in important_first(shown)}
    print("\n".join(table_lines("Means over clips", [ITSELF, *changes], rows_shown)))
    for name in changes:
        console.print(f"  {name:9} {CHANGES[name].title}", highlight=False)
    console.print("↓ must get worse, () may change, the others must stay; ! does not.", highlight=False)
    for left_out in [name for name in CHANGES if name != ITSELF and name not in changes]:
        console.print(f"{left_out} was left out: all videos lie in one folder, a speaker's.", highlight=False)
    if not ((table["metric"] == RARE) & (table["expected"] == "worse")).any():
        console.print(
            f"{RARE} is not judged: that takes {RARE_CLIPS} clips or more whose words are known and have p, b or m.",
            highlight=False,
            soft_wrap=True,
        )
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
