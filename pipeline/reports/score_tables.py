"""The results of `atvgnet score` and its self-test in the terminal."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd
from rich.console import Console

from pipeline.evaluation.baselines import BASELINES, GROUND_TRUTH, MISMATCHED
from pipeline.evaluation.results import important_first, name_of, notes_by_system, number_text, systems_first
from pipeline.evaluation.score.score import Score
from pipeline.evaluation.score.self_test import CHANGES, ITSELF, RARE, RARE_CLIPS
from pipeline.evaluation.tables import ABSENT, CLIPS, DIFFERENCES, INTERVALS
from pipeline.metrics import FIRST, METRICS
from pipeline.reports.text_table import print_lines, print_table
from pipeline.runtime.clock import FPS

CONTROL = MISMATCHED
"""The name of a system whose lips say something else: the control for the metrics of lips."""
MAX_REASONS = 5
"""The terminal shows this many of the reasons why videos could not be scored."""

Cells = Mapping[str, Mapping[str, tuple[str, str]]]
"""By method and metric: a value, and `` ±`` half its 95% interval, empty if there is none."""
MISSING = ("-", "")


def print_score(score: Score, out: Path) -> None:
    """Print the means of all systems, their differences, what could not be scored, and where the tables are.

    Metrics of `FIRST` come first, with half their 95% intervals. Differences are from the first system and, if there
    is one, from the control.
    """
    console = Console()
    _print_cells(console, "Means over clips", _mean_cells(score))
    lines = ["± is half the 95% interval. ↑ higher is better, ↓ lower is better."]
    if (out / DIFFERENCES).exists():
        for against, cells in _difference_cells(out).items():
            _print_cells(console, f"Differences from {against}", cells, FIRST)
        lines.append("Differences are on the same clips; * marks a 95% interval without 0.")
        lines.append(f"All differences: {out / DIFFERENCES}")
    for name in FIRST:
        unit = f", {METRICS[name].unit}" if METRICS[name].unit else ""
        lines.append(f"{name}: {METRICS[name].title}{unit}")
    if CONTROL in score.summary:
        lines.append(f"{CONTROL} is the control: lips that say something else. A system should be better.")
    elif GROUND_TRUTH in score.summary:
        lines.append("The metrics of lips have no control. Add videos of the same people who say something else:")
        lines.append(f"--fake {CONTROL}=FOLDER")
    lines += [*_notes(score.clips), *_absent(out), f"Each clip: {out / CLIPS}   all intervals: {out / INTERVALS}"]
    print_lines(console, lines)


def _print_cells(console: Console, title: str, cells: Cells, metrics: Iterable[str] = METRICS) -> None:
    """Print a table of the first metrics with intervals, and one of the others without; a row per method."""
    known = [metric for metric in important_first(metrics) if any(metric in row for row in cells.values())]
    first = [metric for metric in known if metric in FIRST]
    others = [metric for metric in known if metric not in FIRST]
    if first:
        rows = [[method, *("".join(row.get(metric, MISSING)) for metric in first)] for method, row in cells.items()]
        print_table(console, title, ["", *map(name_of, first)], rows)
    if others:
        rows = [[method, *(row.get(metric, MISSING)[0] for metric in others)] for method, row in cells.items()]
        print_table(console, f"{title}, other metrics", ["", *map(name_of, others)], rows)


def _mean_cells(score: Score) -> Cells:
    cells: dict[str, dict[str, tuple[str, str]]] = {}
    for method in systems_first(score.summary):
        row = score.summary[method]
        for metric in METRICS:
            if metric in row:
                half = _half(metric, row.get(f"{metric}_low", math.nan), row.get(f"{metric}_high", math.nan))
                cells.setdefault(method, {})[metric] = number_text(row[metric], metric), half
    return cells


def _half(metric: str, low: float, high: float) -> str:
    return "" if math.isnan(low) else f" ±{number_text((high - low) / 2, metric)}"


def _difference_cells(out: Path) -> dict[str, Cells]:
    """The differences of the others from the first system, and of the systems from the control, if there are any."""
    table = pd.read_csv(out / DIFFERENCES, dtype={"method": str, "against": str})
    first = str(table["against"].iloc[0]) if len(table) else ""
    control = table[(table["method"] == CONTROL) & ~table["against"].isin(BASELINES)]
    control = control.rename(columns={"method": "against", "against": "method", "low": "high", "high": "low"})
    control[["mean", "low", "high"]] *= -1  # the table has the control minus each system
    found: dict[str, dict[str, dict[str, tuple[str, str]]]] = {}
    for row in pd.concat([table[(table["against"] == first) & (table["method"] != CONTROL)], control]).to_dict(
        "records"
    ):
        metric, mean, low, high = str(row["metric"]), *(float(row[name]) for name in ("mean", "low", "high"))
        text = number_text(mean, metric, "+") + ("*" if low > 0 or high < 0 else "")
        cells = found.setdefault(str(row["against"]), {}).setdefault(str(row["method"]), {})
        cells[metric] = text, _half(metric, low, high)
    return {against: {name: cells[name] for name in systems_first(cells)} for against, cells in found.items()}


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


def _absent(out: Path) -> Iterator[str]:
    """A line per reason why metrics are absent, unless it holds for all metrics of a clip."""
    table = pd.read_csv(out / ABSENT).drop_duplicates(["metric", "reason"])
    for reason, rows in table.groupby("reason", sort=False):
        if len(rows) < len(METRICS):
            yield f"absent: {', '.join(METRICS[str(metric)].title for metric in rows['metric'])}: {reason}"


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
