"""A score as tables in the terminal."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.evaluation.metrics.base import MetricEntry
from pipeline.evaluation.registry import METRICS
from pipeline.evaluation.score.score import Score
from pipeline.evaluation.tables import ABSENT, CLIPS, DIFFERENCES
from pipeline.runtime.clock import FPS

_REASONS = 5
_TITLE, _COLUMN = 24, 20
"""Characters that a title and a column take at most."""

Cell = Callable[[str, MetricEntry], str]


def print_score(found: Score, out: Path) -> None:
    """Print the means of every system with their 95% intervals, the differences from the first one, what is absent or
    could not be scored, and where the tables lie.
    """
    console = Console()
    first, apart = _differences(out)
    tables = [("Means over clips [95% intervals]", list(found.summary), _mean_of(found))]
    if apart:
        tables.append((f"Less {first}, on the same clips; * differs", list(apart), _difference_of(apart)))
    for title, methods, cell in tables:
        for table in _tables(title, methods, cell, console.width):
            console.print(table)
    for line in [*_notes(found.clips), *_absent(out)]:
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"Each clip: {out / CLIPS}   all tables: {out}", highlight=False, soft_wrap=True)


def _tables(title: str, methods: Sequence[str], cell: Cell, width: int) -> Iterator[Table]:
    """Metrics below each other, and as many methods beside each other as there is room for."""
    many = max(1, (width - _TITLE) // _COLUMN)
    for start in range(0, len(methods), many):
        shown = methods[start : start + many]
        table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("", max_width=_TITLE)
        for method in shown:
            table.add_column(method, justify="right")
        for entry in METRICS.values():
            cells = [cell(method, entry) for method in shown]
            if any(cells):
                arrow = "" if entry.nearest else " ↑" if entry.higher_is_better else " ↓"
                table.add_row(f"{entry.title}{arrow}", *(one or "-" for one in cells))
        yield table


def _mean_of(found: Score) -> Cell:
    def cell(method: str, entry: MetricEntry) -> str:
        row = found.summary[method]
        if entry.name not in row:
            return ""
        mean = f"{row[entry.name]:.{entry.digits}f}"
        ends = [f"{row[name]:.{entry.digits}f}" for end in ("_low", "_high") if (name := entry.name + end) in row]
        return f"{mean} \\[{', '.join(ends)}]" if ends else mean

    return cell


def _differences(out: Path) -> tuple[str, dict[str, pd.DataFrame]]:
    """The first system, and the differences of the others from it by metric."""
    if not (out / DIFFERENCES).exists():
        return "", {}
    table = pd.read_csv(out / DIFFERENCES, dtype={"method": str, "against": str})
    if table.empty:
        return "", {}
    first = str(table["against"].iloc[0])
    of_first = table[table["against"] == first]
    return first, {str(one): rows.set_index("metric") for one, rows in of_first.groupby("method", sort=False)}


def _difference_of(apart: dict[str, pd.DataFrame]) -> Cell:
    def cell(method: str, entry: MetricEntry) -> str:
        rows = apart[method]
        if entry.name not in rows.index:
            return ""
        mean, low, high = (float(rows[name][entry.name]) for name in ("mean", "low", "high"))
        if math.isnan(low):
            return f"{mean:+.{entry.digits}f}"
        mark = "*" if low > 0 or high < 0 else ""
        return f"{mean:+.{entry.digits}f}{mark} \\[{low:+.{entry.digits}f}, {high:+.{entry.digits}f}]"

    return cell


def _notes(clips: pd.DataFrame) -> list[str]:
    good = clips[clips["reason"] == ""]
    lines = [f"{len(good)} of {len(clips)} rows could be scored: a clip by a method each."]
    for reason, count in Counter(clips["reason"][clips["reason"] != ""]).most_common(_REASONS):
        lines.append(f"  not scored: {count} x {reason}")
    told = {
        f"of another rate, resampled to {FPS} frames per second": good["note"].str.contains("resampled"),
        "of another length than the real video; what both have is compared": good["note"].str.contains(
            "the real video"
        ),
        "aligned by themselves, not as the real video": good["aligned"] == "own",
        "taken as they are, crops of a face": good["aligned"] == "crop",
        "without sound of their own, measured with the real video's": good["sound"] == "real",
    }
    return lines + [f"  {int(rows.sum())} {words}" for words, rows in told.items() if rows.any()]


def _absent(out: Path) -> list[str]:
    table = pd.read_csv(out / ABSENT)
    reasons: dict[str, list[str]] = {}
    for row in table.drop_duplicates(["metric", "reason"]).to_dict("records"):
        reasons.setdefault(str(row["reason"]), []).append(METRICS[str(row["metric"])].title)
    return [
        f"absent: {', '.join(titles)}: {reason}" for reason, titles in reasons.items() if len(titles) < len(METRICS)
    ]
