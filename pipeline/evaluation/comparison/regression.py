"""`atvgnet gate`: whether the models became worse than in an earlier evaluation."""

from collections.abc import Sequence

from pipeline.evaluation.baselines import BASELINES
from pipeline.evaluation.comparison.paired import WORSE, Comparison, compare_evaluations
from pipeline.evaluation.comparison.revisions import read_evaluation
from pipeline.evaluation.results import difference_text, rows_of
from pipeline.metrics import DECIDING, METRICS
from pipeline.runtime.errors import PipelineError


def check_regressions(baseline: str, metrics: Sequence[str] | None = None) -> str:
    """Compare the last evaluation with ``baseline`` by ``metrics`` (default: LMD), and say what is not worse.

    Raises PipelineError if anything is worse or nothing could be compared, and as `read_evaluation` and
    `compare_evaluations`.
    """
    metrics = list(metrics or [DECIDING])
    for name in metrics:
        if name not in METRICS:
            raise PipelineError(f"{name!r} is not a metric. Choose of {', '.join(METRICS)}.")
    comparison = compare_evaluations(read_evaluation(baseline), read_evaluation(None))
    worse, others = find_regressions(comparison, metrics)
    if worse:
        raise PipelineError(f"Worse than {baseline} beyond the 95% interval: {'; '.join(worse)}.")
    if not others:
        raise PipelineError(
            f"{baseline} has none of {', '.join(metrics)} for the models on two clips or more that are in both: "
            "nothing could be compared. Evaluate both on more clips (evaluate.max_clips)."
        )
    return f"Not worse than {baseline} beyond the 95% interval: {'; '.join(others)}."


def find_regressions(comparison: Comparison, metrics: Sequence[str]) -> tuple[list[str], list[str]]:
    """What became worse, and what did not, in words. Only methods by which models are judged count.

    A metric is worse if the whole 95% interval of its difference is on the worse side, or if only the earlier
    evaluation has a value: a model whose frames show no face has no LMD.
    """
    rows = {(row.method, row.metric): row for row in rows_of(comparison.differences)}
    before = comparison.before.clips
    worse: list[str] = []
    others: list[str] = []
    for method in (entry.name for entry in BASELINES.values() if entry.decides):
        for metric in metrics:
            row, name = rows.get((method, metric)), f"{METRICS[metric].title} of {method}"
            if row is None:
                if metric in before and before.loc[before["method"] == method, metric].notna().any():
                    worse.append(f"{name} is there in {comparison.before.name} and not in {comparison.after.name}")
            elif row.clips > 1:  # a single clip has no interval
                found = worse if row.verdict == WORSE else others
                found.append(f"{name} {difference_text(row, metric)} over {row.clips} clips")
    return worse, others
