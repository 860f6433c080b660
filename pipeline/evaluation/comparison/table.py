"""A comparison in the terminal."""

from typing import Any

import pandas as pd
from rich.console import Console

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.comparison.paired import UNCLEAR, Comparison
from pipeline.evaluation.results import difference_text, important_first, name_of, number_text, rows_of
from pipeline.runtime.terminal import print_table

HEADER = ("metric", "before", "after", "difference", "clips", "verdict")


def print_comparison(comparison: Comparison) -> None:
    """Print a table per method, the whole system first: both means, the paired difference with its 95% interval, and
    its verdict. Methods of which nothing differs are named in a line.
    """
    console = Console()
    console.print(
        f"{comparison.after.name} beside {comparison.before.name}: per-clip differences with 95% intervals",
        highlight=False,
        soft_wrap=True,
    )
    console.print()
    equal = []
    for method, rows in _by_method(comparison.differences).items():
        if (rows[["mean", "low", "high"]].fillna(0) == 0).all(axis=None):
            equal.append(method)
            continue
        of_metric = {row.metric: row for row in rows_of(rows)}
        title = f"{method}: {BASELINES[method].title}" if method in BASELINES else method
        print_table(console, title, HEADER, [_cells(of_metric[one]) for one in important_first(of_metric)])
    lines = [f"No clip differs in any metric: {', '.join(equal)}."] if equal else []
    lines += [
        "↑ higher is better, ↓ lower is better. A row without better or worse may be chance: its interval contains 0.",
        "Metrics without an arrow have a best value; their rows show the distance from it.",
    ]
    for line in [*lines, *comparison.notes]:
        console.print(line, highlight=False, soft_wrap=True)


def _by_method(differences: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each method, the whole system first and the real clips last."""
    rows = {str(method): found for method, found in differences.groupby("method", sort=False)}
    known = [name for name in reversed(BASELINES) if name in rows]
    return {name: rows[name] for name in [*known, *(one for one in rows if one not in BASELINES)]}


def _cells(row: Any) -> list[str]:
    means = [number_text(one, row.metric) for one in (row.before, row.after)]
    verdict = "" if row.verdict == UNCLEAR else row.verdict
    return [name_of(row.metric), *means, difference_text(row, row.metric), str(row.clips), verdict]
