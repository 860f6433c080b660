"""Whether a change made the models worse."""

from collections.abc import Sequence

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.comparison.paired import WORSE, Comparison, compare
from pipeline.evaluation.comparison.revisions import read_evaluation
from pipeline.evaluation.results import difference_text, rows_of
from pipeline.metrics import DECIDING, METRICS
from pipeline.runtime.errors import PipelineError


def check_regressions(baseline: str, metrics: Sequence[str] | None = None) -> str:
    """What was compared and is not worse than in ``baseline``, in a line; ``metrics`` are those that decide, LMD where
    none is given.

    Raises PipelineError, which says what became worse and by how much, when anything did; and as `read_evaluation` and
    `compare`.
    """
    metrics = list(metrics or [DECIDING])
    for name in metrics:
        if name not in METRICS:
            raise PipelineError(f"{name!r} is not a metric. Choose of {', '.join(METRICS)}.")
    comparison = compare(read_evaluation(baseline), read_evaluation(None))
    worse, others = regressions(comparison, metrics)
    if worse:
        raise PipelineError(f"Worse than {baseline} beyond the 95% interval: {'; '.join(worse)}.")
    if not others:
        raise PipelineError(
            f"{baseline} has none of {', '.join(metrics)} for the models on two clips or more that are in both: "
            "nothing could be compared. Evaluate both on more clips (evaluate.max_clips)."
        )
    return f"Not worse than {baseline} beyond the 95% interval: {'; '.join(others)}."


def regressions(comparison: Comparison, metrics: Sequence[str]) -> tuple[list[str], list[str]]:
    """What became worse, and what did not, in words.

    Of the methods that judge models, those metrics are worse of which the whole 95% interval of the difference lies on
    the worse side; also those that the earlier evaluation has and the later one lacks: a model whose frames show no
    face has no LMD.
    """
    rows = {(row.method, row.metric): row for row in rows_of(comparison.differences)}
    before = comparison.before.clips
    worse: list[str] = []
    others: list[str] = []
    for method in (entry.name for entry in BASELINES.values() if entry.decides):
        for metric in metrics:
            row, name = rows.get((method, metric)), f"{METRICS[metric].title} of {method}"
            if row is not None and row.clips < 2:
                continue  # no interval, so nothing that it could lie beyond
            if row is not None:
                text = f"{name} {difference_text(row, metric)} over {row.clips} clips"
                (worse if row.verdict == WORSE else others).append(text)
            elif metric in before and before.loc[before["method"] == method, metric].notna().any():
                worse.append(f"{name} is there in {comparison.before.name} and not in {comparison.after.name}")
    return worse, others
