"""The results of `atvgnet score` and its self-test in the terminal."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from pipeline.evaluation.baselines import BASELINES, GROUND_TRUTH, MISMATCHED
from pipeline.evaluation.results import (
    Results,
    important_first,
    name_of,
    notes_by_system,
    number_text,
    read_results,
    rows_of,
    systems_first,
)
from pipeline.evaluation.score.self_test import CHANGES, ITSELF, RARE, RARE_CLIPS
from pipeline.evaluation.tables import ALL, CLIPS, DIFFERENCES, INTERVALS
from pipeline.metrics import FIRST, METRICS
from pipeline.reports.text_table import print_lines, print_table
from pipeline.runtime.clock import FPS

CONTROL = MISMATCHED
"""The name of a system whose lips say something else: the control for the metrics of lips."""
MAX_REASONS = 5
"""The terminal shows this many of the reasons why videos could not be scored."""


def print_score(out: Path) -> None:
    """Print the means of all systems, their differences, what could not be scored, and where the tables are.

    Metrics of `FIRST` come first, with half their 95% intervals. Differences are from the first system and, if there
    is one, from the control.
    """
    console, results = Console(), read_results(out)
    means = results.metrics[results.metrics["group"] == ALL]
    _print_rows(console, "Means over clips", means)
    lines = ["± is half the 95% interval. ↑ higher is better, ↓ lower is better."]
    if len(results.differences):
        first = results.differences[results.differences["metric"].isin(FIRST)]
        for against, differences in _differences(first).groupby("against", sort=False):
            _print_rows(console, f"Differences from {against}", differences, sign="+")
        lines.append("Differences are on the same clips; * marks a 95% interval without 0.")
        lines.append(f"All differences: {out / DIFFERENCES}")
    for name in FIRST:
        unit = f", {METRICS[name].unit}" if METRICS[name].unit else ""
        lines.append(f"{name}: {METRICS[name].title}{unit}")
    if CONTROL in results.methods:
        lines.append(f"{CONTROL} is the control: lips that say something else. A system should be better.")
    elif GROUND_TRUTH in results.methods:
        lines.append("The metrics of lips have no control. Add videos of the same people who say something else:")
        lines.append(f"--fake {CONTROL}=FOLDER")
    lines += [*_notes(results.clips), *_absent(results)]
    print_lines(console, [*lines, f"Each clip: {out / CLIPS}   all intervals: {out / INTERVALS}"])


def _print_rows(console: Console, title: str, table: pd.DataFrame, sign: str = "") -> None:
    """Print a table of the first metrics with intervals, and one of the others without; a row per method."""
    rows = {(row.method, row.metric): row for row in rows_of(table)}
    methods, metrics = systems_first(table["method"].unique()), important_first(table["metric"].unique())
    first, others = [name for name in metrics if name in FIRST], [name for name in metrics if name not in FIRST]
    for heading, names in ((title, first), (f"{title}, other metrics", others)):
        if names:
            cells = [[method, *(_cell(rows.get((method, name)), sign) for name in names)] for method in methods]
            print_table(console, heading, ["", *map(name_of, names)], cells)


def _cell(row: Any, sign: str) -> str:
    if row is None:
        return "-"
    text = number_text(row.mean, row.metric, sign)
    if sign and (row.low > 0 or row.high < 0):
        text += "*"
    if row.metric in FIRST and not math.isnan(row.low):
        text += f" ±{number_text((row.high - row.low) / 2, row.metric)}"
    return text


def _differences(table: pd.DataFrame) -> pd.DataFrame:
    """The differences of the others from the first system, and of the systems from the control, if there is one."""
    from_first = table[(table["against"] == table["against"].iloc[0]) & (table["method"] != CONTROL)]
    of_control = table[(table["method"] == CONTROL) & ~table["against"].isin(BASELINES)]
    swapped = {"method": "against", "against": "method", "low": "high", "high": "low"}
    from_control = of_control.rename(columns=swapped)  # the table has the control minus each system
    from_control[["mean", "low", "high"]] *= -1
    both: pd.DataFrame = pd.concat([from_first, from_control])
    return both


def _notes(clips: pd.DataFrame) -> Iterator[str]:
    """Lines on rows without metrics, on rows measured in a special way, and on each system."""
    good = clips[clips["reason"] == ""]
    yield f"{len(good)} of {len(clips)} rows could be scored (a row is a clip by a method)."
    for reason, count in Counter(clips["reason"][clips["reason"] != ""]).most_common(MAX_REASONS):
        yield f"  not scored: {count} x {reason}"
    other_length = good["note"].str.contains("the real video")
    special = {
        f"of another frame rate, resampled to {FPS} frames per second": good["note"].str.contains("resampled"),
        "of another length than the real video; the longer one is cut": other_length,
        "aligned by themselves, not as the real video": good["aligned"] == "own",
        "taken as they are, crops of a face": good["aligned"] == "crop",
        "without sound, measured with the real video's": good["sound"] == "real",
    }
    yield from (f"  {int(rows.sum())} {text}" for text, rows in special.items() if rows.any())
    yield from notes_by_system(clips)


def _absent(results: Results) -> Iterator[str]:
    """A line per reason and systems why metrics are absent; `_notes` has the reasons why whole clips are."""
    partly = results.absent[~results.absent["reason"].isin(results.clips["reason"])]
    metrics: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (metric, reason), rows in partly.groupby(["metric", "reason"], sort=False):
        metrics.setdefault((str(reason), tuple(rows["method"])), []).append(str(metric))
    for (reason, methods), names in metrics.items():
        whose = "all" if len(methods) == len(results.methods) else ", ".join(methods)
        yield f"absent for {whose}: {', '.join(names)}: {reason}"


def print_self_test(table: pd.DataFrame) -> None:
    """Print the value of every metric after every change, and the metrics that fail."""
    console = Console()
    changes = list(dict.fromkeys(table["change"]))
    marks = {"worse": "↓{}", "free": "({})", "same": "{}"}
    cells: dict[str, dict[str, str]] = {}
    for row in table.to_dict("records"):
        metric = str(row["metric"])
        before, value = (number_text(float(row[column]), metric) for column in ("before", "value"))
        marked = marks[str(row["expected"])].format(value)
        cells.setdefault(metric, {ITSELF: before})[str(row["change"])] = marked if row["holds"] else f"!{marked}"
    columns = [ITSELF, *changes]
    rows = [[metric, *(cells[metric].get(change, "-") for change in columns)] for metric in important_first(cells)]
    print_table(console, "Means over clips", ["", *columns], rows)
    lines = [f"  {name:9} {CHANGES[name].title}" for name in changes]
    lines.append("↓ must get worse, () may change, the others must stay; ! marks a metric that fails.")
    left_out = [name for name in CHANGES if name not in columns]
    lines += [f"{name} was left out: all videos are in one folder, so of one speaker." for name in left_out]
    if not ((table["metric"] == RARE) & (table["expected"] == "worse")).any():
        lines.append(f"{RARE} is not judged: that takes {RARE_CLIPS} clips or more with known words and p, b or m.")
    failed = table[~table["holds"]]
    lines += [
        f"{row['change']}: {row['metric']} must be {row['expected']}; it is worse by {row['difference']:.4f} "
        f"[{row['low']:.4f}, {row['high']:.4f}]."
        for row in failed.to_dict("records")
    ]
    print_lines(console, [*lines, f"{len(table) - len(failed)} of {len(table)} hold."])
