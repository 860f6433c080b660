"""The report as Markdown, for a pull request."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pipeline.evaluation.comparison.paired import BETTER, WORSE, Comparison, verdict_text
from pipeline.evaluation.results import Results, difference_text, in_order, interval_text, rows_of, title_of
from pipeline.evaluation.tables import ALL
from pipeline.reports.text_table import markdown_lines


def markdown_report(results: Results, comparison: Comparison | None = None) -> str:
    """The means of the system, and its differences if there is a comparison; tables of all methods are folded."""
    cells, system = results.group(ALL), results.system
    own_metrics = [metric for metric in cells if system in cells[metric]]
    lines = [f"### Evaluation: {results.title(system) or system}, {results.clips['id'].nunique()} clips", ""]
    lines += ["Means with 95% intervals; ↑ higher is better, ↓ lower.", ""]

    def mean(metric: str, method: str) -> str:
        return interval_text(cells[metric][method]) if method in cells[metric] else "-"

    if comparison is None:
        lines += _table([system], own_metrics, mean)
        return "\n".join([*lines, *_folded("All methods", _table(results.methods, cells, mean))])

    before = f"less `{comparison.before.name}`"
    changes = {(row.metric, row.method): _difference(row) for row in rows_of(comparison.differences)}

    def difference(metric: str, method: str) -> str:
        return changes.get((metric, method), "-")

    lines += markdown_lines(
        ["metric", system, before],
        ([title_of(metric), mean(metric, system), difference(metric, system)] for metric in own_metrics),
    )
    lines += ["", "Per-clip differences with 95% intervals, bold if 0 is outside; of distances without an arrow.", ""]
    lines += [f"- {note}" for note in comparison.notes]
    compared = [method for method in results.methods if method in set(comparison.differences["method"])]
    metrics = in_order(comparison.differences["metric"].unique())
    lines += _folded("All methods", _table(results.methods, cells, mean))
    lines += _folded(f"All methods, {before}", _table(compared, metrics, difference))
    return "\n".join(lines)


def _difference(row: Any) -> str:
    text, verdict = difference_text(row), verdict_text(row)
    return f"**{text} {verdict}**" if verdict in (BETTER, WORSE) else text


def _table(methods: Sequence[str], metrics: Iterable[str], cell: Callable[[str, str], str]) -> list[str]:
    rows = ([title_of(metric), *(cell(metric, method) for method in methods)] for metric in metrics)
    return markdown_lines(["metric", *methods], rows)


def _folded(title: str, lines: list[str]) -> list[str]:
    return ["", f"<details><summary>{title.replace('`', '')}</summary>", "", *lines, "", "</details>"]
