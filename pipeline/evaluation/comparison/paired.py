"""Compare two evaluations of the same clips: differences with 95% intervals, and whether the models became worse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.evaluation.baselines import BASELINES, GROUND_TRUTH, STATIC
from pipeline.evaluation.comparison.revisions import Evaluation, read_evaluation
from pipeline.evaluation.results import difference_text, number_text, rows_of
from pipeline.evaluation.tables import KEYS, differences
from pipeline.metrics import DECIDING, METRICS
from pipeline.runtime.errors import PipelineError

BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"
"""Where the whole interval of a difference lies; unclear if it contains 0."""
SAME = "same"
"""Shown in place of a verdict if the difference rounds to 0."""
SAME_FOR_COMPARISON = ("kind", "protocol", "fps", "size")
"""Keys of info.json that two evaluations must share, so that their metrics mean the same."""


@dataclass(frozen=True)
class Comparison:
    """An evaluation and an earlier one."""

    before: Evaluation
    after: Evaluation
    differences: pd.DataFrame
    """A row per method and metric: ``method, metric, before, after, mean, low, high, clips, verdict``. ``before`` and
    ``after`` are means over the clips that both have; ``mean, low, high`` are of the difference after - before."""
    notes: list[str]
    """What only one of the two has."""


def compare_evaluations(before: Evaluation, after: Evaluation, seed: int = 0) -> Comparison:
    """Differences per clip, method and metric, with bootstrap intervals over clips within speakers.

    For metrics with a best value, such as an offset of 0, the distances from it are compared. Raises PipelineError if
    the two are of different corpora or protocols.
    """
    _check_comparable(before, after)
    methods = [name for name in dict.fromkeys(after.clips["method"]) if name in set(before.clips["method"])]
    if not methods:
        raise PipelineError(f"{before.name} and {after.name} have no method in common: nothing can be compared.")
    both = pd.concat([_prefixed(before, "before", methods), _prefixed(after, "after", methods)])
    table = differences(both, [(f"after {method}", f"before {method}") for method in methods], seed)
    table["method"] = table["method"].str.removeprefix("after ")
    values = both.pivot(index="id", columns="method", values=list(METRICS)).astype(float)
    pairs = [[(row.metric, f"{when} {row.method}") for when in ("before", "after")] for row in rows_of(table)]
    means = [values[pair].dropna().mean() for pair in pairs]
    table["before"], table["after"] = ([of_pair.iloc[place] for of_pair in means] for place in (0, 1))
    table["verdict"] = [_verdict(row.metric, row.low, row.high) for row in rows_of(table)]
    columns = ["method", "metric", "before", "after", "mean", "low", "high", "clips", "verdict"]
    return Comparison(before, after, table[columns], _notes(before, after, table))


def _check_comparable(before: Evaluation, after: Evaluation) -> None:
    for key in SAME_FOR_COMPARISON:
        old, new = before.info.get(key), after.info.get(key)
        if old != new:
            raise PipelineError(
                f"{before.name} and {after.name} differ in {key} ({old} and {new}), so that their metrics cannot be "
                "compared. Evaluate both alike."
            )
    if not set(before.clips["id"]) & set(after.clips["id"]):
        raise PipelineError(
            f"{before.name} and {after.name} have no clip in common: they are evaluations of different corpora or "
            "splits. Evaluate both models on the same test split."
        )


def _prefixed(evaluation: Evaluation, when: str, methods: list[str]) -> pd.DataFrame:
    """The rows of these methods as ``before METHOD`` or ``after METHOD``, with distances from best values."""
    clips = evaluation.clips
    real = clips[clips["method"] == GROUND_TRUTH].set_index("id")
    for entry in METRICS.values():
        if entry.nearest and entry.name in clips:
            distances = entry.badness(clips[entry.name], clips["id"].map(real[entry.name]))
            clips = clips.assign(**{entry.name: distances})
    clips = clips[clips["method"].isin(methods)].reindex(columns=[*KEYS, *METRICS])
    return clips.assign(method=when + " " + clips["method"])


def _verdict(metric: str, low: float, high: float) -> str:
    if not (low > 0 or high < 0):  # also without an interval
        return UNCLEAR
    higher_is_better = METRICS[metric].higher_is_better and not METRICS[metric].nearest
    return BETTER if (low > 0) == higher_is_better else WORSE


def is_judged(method: str) -> bool:
    """Whether a method is a system. A control, such as `silent`, is not: a better control is no improvement."""
    return method not in BASELINES or bool(BASELINES[method].decides)


def verdict_text(row: Any) -> str:
    """The verdict of a row of `Comparison.differences` for tables; empty for controls and unclear differences."""
    if row.verdict == UNCLEAR or not is_judged(row.method):
        return ""
    return SAME if float(number_text(row.mean, row.metric)) == 0 else str(row.verdict)


def _notes(before: Evaluation, after: Evaluation, table: pd.DataFrame) -> list[str]:
    notes = []
    for own, other in ((before, after), (after, before)):
        alone = set(own.clips["id"]) - set(other.clips["id"])
        if alone:
            notes.append(f"{len(alone)} clips are in {own.name} alone and are left out.")
        methods = set(own.clips["method"]) - set(other.clips["method"])
        for kind, names in (("methods", methods), ("metrics", _measured(own) - _measured(other))):
            if names:
                notes.append(f"Only {own.name} has the {kind} {', '.join(sorted(names))}.")
    most = table.groupby("metric")["clips"].max()
    for row in rows_of(table):
        if row.clips < most[row.metric]:
            missing = most[row.metric] - row.clips
            notes.append(f"{row.metric} of {row.method}: {missing} clips lack it in one of the two.")
    if ((table["method"] == STATIC) & (table["mean"].abs() > 1e-4)).any():
        notes.append(
            "`static` differs too, although no model takes part in it: the clips, or how they were prepared or "
            "measured, are not the same."
        )
    return notes


def _measured(evaluation: Evaluation) -> set[str]:
    """The metrics that any clip has."""
    return {name for name in METRICS if name in evaluation.clips and evaluation.clips[name].notna().any()}


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
            row, name = rows.get((method, metric)), f"{metric} of {method}"
            if row is None:
                if metric in before and before.loc[before["method"] == method, metric].notna().any():
                    worse.append(f"{name} is there in {comparison.before.name} and not in {comparison.after.name}")
            elif row.clips > 1:  # a single clip has no interval
                found = worse if row.verdict == WORSE else others
                found.append(f"{name} {difference_text(row)} over {row.clips} clips")
    return worse, others
