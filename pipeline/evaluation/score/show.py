"""A score as tables in the terminal."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from pipeline.evaluation.results import important_first, name_of, notes_by_system, systems_first
from pipeline.evaluation.score.clip import GROUND_TRUTH
from pipeline.evaluation.score.columns import WIDTH, table_lines
from pipeline.evaluation.score.score import Score
from pipeline.evaluation.tables import ABSENT, CLIPS, DIFFERENCES, INTERVALS
from pipeline.metrics import FIRST, METRICS
from pipeline.metrics.base import MetricEntry
from pipeline.runtime.clock import FPS

CONTROL = "mismatched"
"""What a system is called of which the lips are known to say something else (a baseline's name)."""
_REASONS = 5

Cell = Callable[[str, MetricEntry, bool], str]
"""The text of a method and a metric, with half the interval or without."""


def print_score(found: Score, out: Path) -> None:
    """Print the means of every system, the differences from the first one, what is absent or could not be scored, and
    where the tables lie. The metrics of `FIRST` come first, with half their 95% intervals.
    """
    console = Console(width=WIDTH)
    first, apart = _differences(out)
    for line in _tables("Means over clips", systems_first(found.summary), _mean_of(found)):
        print(line)
    if apart:
        for line in _tables(f"Differences from {first}", systems_first(apart), _difference_of(apart), FIRST):
            print(line)
    legend = ["± is half the 95% interval. ↑ higher is better, ↓ lower is better."]
    legend += (
        [f"Differences are of the same clips; * means that the 95% interval does not hold 0. All: {out / DIFFERENCES}"]
        if apart
        else []
    )
    legend += [f"{name}: {METRICS[name].title}{_unit(METRICS[name])}" for name in FIRST]
    if GROUND_TRUTH in found.summary and CONTROL not in found.summary:
        legend.append(
            f"Read them beside a control: videos of the same people who say something else, as --fake {CONTROL}=FOLDER."
        )
    for text in [*legend, *_notes(found.clips), *_absent(out)]:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    where = f"Each clip: {out / CLIPS}   all intervals: {out / INTERVALS}"
    console.print(where, highlight=False, markup=False, soft_wrap=True)


def _unit(entry: MetricEntry) -> str:
    return f", {entry.unit}" if entry.unit else ""


def _tables(title: str, methods: Sequence[str], cell: Cell, shown: Iterable[str] = METRICS) -> Iterator[str]:
    """A table of the metrics that come first, and one of the others."""
    there = [name for name in important_first(shown) if any(cell(one, METRICS[name], False) for one in methods)]
    for more, names in (
        (False, [one for one in there if one in FIRST]),
        (True, [one for one in there if one not in FIRST]),
    ):
        if names:
            heads = [name_of(name) for name in names]
            rows = {one: [cell(one, METRICS[name], not more) or "-" for name in names] for one in methods}
            yield from table_lines(f"{title}, other metrics" if more else title, heads, rows)


def _mean_of(found: Score) -> Cell:
    def cell(method: str, entry: MetricEntry, interval: bool) -> str:
        row = found.summary[method]
        if entry.name not in row:
            return ""
        low, high = (row.get(entry.name + end, math.nan) for end in ("_low", "_high"))
        return f"{row[entry.name]:.{entry.digits}f}{_half(low, high, entry) if interval else ''}"

    return cell


def _half(low: float, high: float, entry: MetricEntry) -> str:
    return "" if math.isnan(low) else f" ±{(high - low) / 2:.{entry.digits}f}"


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
    def cell(method: str, entry: MetricEntry, interval: bool) -> str:
        rows = apart[method]
        if entry.name not in rows.index:
            return ""
        mean, low, high = (float(rows[name][entry.name]) for name in ("mean", "low", "high"))
        mark = "*" if low > 0 or high < 0 else ""
        return f"{mean:+.{entry.digits}f}{mark}{_half(low, high, entry) if interval else ''}"

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
    lines += [f"  {int(rows.sum())} {words}" for words, rows in told.items() if rows.any()]
    return lines + list(notes_by_system(clips))


def _absent(out: Path) -> list[str]:
    table = pd.read_csv(out / ABSENT)
    reasons: dict[str, list[str]] = {}
    for row in table.drop_duplicates(["metric", "reason"]).to_dict("records"):
        reasons.setdefault(str(row["reason"]), []).append(METRICS[str(row["metric"])].title)
    return [
        f"absent: {', '.join(titles)}: {reason}" for reason, titles in reasons.items() if len(titles) < len(METRICS)
    ]
