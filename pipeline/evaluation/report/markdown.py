"""The short form of a report, for a pull request."""

from collections.abc import Callable, Iterable

from pipeline.evaluation.comparison.paired import UNCLEAR, Comparison
from pipeline.evaluation.results import Results, difference_text, in_order, interval_text, rows_of, title_of
from pipeline.evaluation.tables import ALL


def markdown(results: Results, comparison: Comparison | None = None) -> str:
    """Means over all clips with their 95% intervals, a row per metric and a column per method; and the same of the
    differences where there is something to compare with.
    """
    rows = results.group(ALL)
    clips = results.clips["id"].nunique()
    lines = [f"### Evaluation of {clips} clips", "", "Means with 95% intervals; ↑ higher is better, ↓ lower.", ""]
    lines += _table(results.methods, rows, lambda metric, method: _mean(rows, metric, method))
    if comparison is None:
        return "\n".join(lines)
    changes = {(row.metric, row.method): row for row in rows_of(comparison.differences)}
    methods = [one for one in results.methods if one in set(comparison.differences["method"])]

    def change(metric: str, method: str) -> str:
        row = changes.get((metric, method))
        if row is None:
            return "-"
        text = difference_text(row, metric)
        return text if row.verdict == UNCLEAR else f"**{text} {row.verdict}**"

    lines += ["", f"### Less `{comparison.before.name}`", ""]
    lines += ["Per-clip differences with 95% intervals; bold where 0 is outside.", ""]
    lines += _table(methods, in_order(comparison.differences["metric"].unique()), change)
    lines += ["", *(f"- {note}" for note in comparison.notes)] if comparison.notes else []
    return "\n".join(lines)


def _mean(rows: dict[str, dict[str, object]], metric: str, method: str) -> str:
    return interval_text(rows[metric][method], metric) if method in rows[metric] else "-"


def _table(methods: list[str], metrics: Iterable[str], cell: Callable[[str, str], str]) -> list[str]:
    head = ["metric", *methods]
    body = [[title_of(metric), *(cell(metric, method) for method in methods)] for metric in metrics]
    return [_row(head), _row(["---"] * len(head)), *map(_row, body)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(one.replace('|', chr(92) + '|') for one in cells)} |"
