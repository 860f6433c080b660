"""The short form of a report, for a pull request."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pipeline.evaluation.comparison.paired import UNCLEAR, Comparison
from pipeline.evaluation.results import Results, difference_text, in_order, interval_text, rows_of, title_of
from pipeline.evaluation.tables import ALL


def markdown(results: Results, comparison: Comparison | None = None) -> str:
    """The system's means over all clips with their 95% intervals, and the differences where there is something to
    compare with; those of all methods are folded.
    """
    rows, system = results.group(ALL), results.system

    def mean(metric: str, method: str) -> str:
        return interval_text(rows[metric][method], metric) if method in rows[metric] else "-"

    clips = results.clips["id"].nunique()
    lines = [f"### Evaluation: {results.title(system) or system}, {clips} clips", ""]
    lines += ["Means with 95% intervals; ↑ higher is better, ↓ lower.", ""]
    own = [one for one in rows if system in rows[one]]
    if comparison is None:
        lines += _table([system], own, mean)
        return "\n".join([*lines, *_folded("All methods", _table(results.methods, rows, mean))])
    name = f"less `{comparison.before.name}`"
    changes = {(row.metric, row.method): row for row in rows_of(comparison.differences)}
    change = {key: _change(row, row.metric) for key, row in changes.items()}
    lines += _table(
        [system, name],
        own,
        lambda metric, one: mean(metric, one) if one == system else change.get((metric, system), "-"),
    )
    lines += [
        "",
        "Per-clip differences with 95% intervals, bold where 0 is outside; without an arrow of distances.",
        "",
    ]
    lines += [f"- {note}" for note in comparison.notes]
    compared = [one for one in results.methods if one in set(comparison.differences["method"])]
    metrics = in_order(comparison.differences["metric"].unique())
    lines += _folded("All methods", _table(results.methods, rows, mean))
    differences = _table(compared, metrics, lambda metric, one: change.get((metric, one), "-"))
    return "\n".join([*lines, *_folded(f"All methods, {name}", differences)])


def _change(row: Any, metric: str) -> str:
    text = difference_text(row, metric)
    return text if row.verdict == UNCLEAR else f"**{text} {row.verdict}**"


def _table(columns: Sequence[str], metrics: Iterable[str], cell: Callable[[str, str], str]) -> list[str]:
    head = ["metric", *columns]
    body = [[title_of(metric), *(cell(metric, column) for column in columns)] for metric in metrics]
    return [_row(head), _row(["---"] * len(head)), *map(_row, body)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(one.replace('|', chr(92) + '|') for one in cells)} |"


def _folded(title: str, lines: list[str]) -> list[str]:
    return ["", f"<details><summary>{title.replace('`', '')}</summary>", "", *lines, "", "</details>"]
