"""A score as a table in the terminal."""

from collections import Counter
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


def print_score(found: Score, out: Path) -> None:
    """Print the means of every system with their 95% intervals, what differs, what is absent or failed, and where the
    tables lie.
    """
    console = Console()
    table = Table(title="Means over clips with 95% intervals", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for method in found.summary:
        table.add_column(method, justify="right")
    for entry in METRICS.values():
        cells = [_cell(row, entry) for row in found.summary.values()]
        if any(cells):
            table.add_row(f"{entry.title} {'↑' if entry.higher_is_better else '↓'}", *(cell or "-" for cell in cells))
    console.print(table)
    for line in [*_notes(found.clips), *_differences(out), *_absent(out)]:
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"Each clip: {out / CLIPS}   all metrics and units: {out}", highlight=False, soft_wrap=True)


def _cell(row: dict[str, float], entry: MetricEntry) -> str:
    if entry.name not in row:
        return ""
    mean, low, high = (f"{row[entry.name + end]:.{entry.digits}f}" for end in ("", "_low", "_high"))
    return f"{mean}\n{low} to {high}"


def _notes(clips: pd.DataFrame) -> list[str]:
    good = clips[clips["reason"] == ""]
    lines = [f"{len(good)} of {len(clips)} rows could be scored."]
    for reason, count in Counter(clips["reason"][clips["reason"] != ""]).most_common(_REASONS):
        lines.append(f"  not scored: {count} x {reason}")
    resampled = int(good["note"].str.contains("resampled").sum())
    if resampled:
        lines.append(f"  {resampled} videos have another rate, and were resampled to {FPS} frames per second")
    others = Counter(good["aligned"][~good["aligned"].isin(["real"])])
    words = {"own": "aligned by themselves", "crop": "taken as crops of a face, as they are"}
    lines += [f"  {count} generated videos were {words[how]}" for how, count in others.items()]
    borrowed = int((good["sound"] == "real").sum())
    if borrowed:
        lines.append(f"  {borrowed} generated videos have no sound, and were measured with the real one's")
    return lines


def _differences(out: Path) -> list[str]:
    """What differs by more than its interval."""
    if not (out / DIFFERENCES).exists():
        return []
    table = pd.read_csv(out / DIFFERENCES)
    sure = table[(table["low"] > 0) | (table["high"] < 0)]
    lines = []
    for row in sure.to_dict("records"):
        entry = METRICS[str(row["metric"])]
        mean, low, high = (f"{row[name]:+.{entry.digits}f}" for name in ("mean", "low", "high"))
        better = "better" if (row["mean"] > 0) == entry.higher_is_better else "worse"
        lines.append(f"{row['method']} less {row['against']}: {entry.title} {mean} [{low}, {high}], {better}")
    return lines or ["No metric differs by more than its interval."]


def _absent(out: Path) -> list[str]:
    table = pd.read_csv(out / ABSENT)
    reasons: dict[str, list[str]] = {}
    for row in table.drop_duplicates(["metric", "reason"]).to_dict("records"):
        reasons.setdefault(str(row["reason"]), []).append(METRICS[str(row["metric"])].title)
    return [
        f"absent: {', '.join(titles)}: {reason}" for reason, titles in reasons.items() if len(titles) < len(METRICS)
    ]
