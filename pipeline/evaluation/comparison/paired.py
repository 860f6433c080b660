"""Two evaluations of the same clips: per-clip differences with 95% intervals."""

from dataclasses import dataclass

import pandas as pd

from pipeline.evaluation.comparison.revisions import Evaluation
from pipeline.evaluation.results import rows_of
from pipeline.evaluation.tables import KEYS, differences
from pipeline.metrics import METRICS
from pipeline.runtime.errors import PipelineError

BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"
"""Where the whole interval of a difference lies; an interval around 0 does not tell."""
SAME_FOR_COMPARISON = ("kind", "protocol", "fps", "size")
"""Keys of info.json that two evaluations must share, or their metrics are of different things."""


@dataclass(frozen=True)
class Comparison:
    """An evaluation beside an earlier one."""

    before: Evaluation
    after: Evaluation
    differences: pd.DataFrame
    """A row per method and metric: ``method``, ``metric``, ``before`` and ``after`` (means over the clips that both
    have), ``mean``, ``low`` and ``high`` of the difference after - before, ``clips``, and ``verdict``.
    """
    notes: list[str]
    """What the two do not share."""


def compare(before: Evaluation, after: Evaluation, seed: int = 0) -> Comparison:
    """Differences per clip, method and metric, with bootstrap intervals over clips within speakers.

    Of a metric that is best near to a value, such as an offset near to 0, what is compared is the distance from that.
    Raises PipelineError where the two are of different corpora or protocols.
    """
    _refuse(before, after)
    shared = [one for one in dict.fromkeys(after.clips["method"]) if one in set(before.clips["method"])]
    if not shared:
        raise PipelineError(f"{before.name} and {after.name} have no method in common: nothing can be compared.")
    metrics = [one for one in METRICS if one in before.clips and one in after.clips]
    pair = pd.concat([_renamed(before, "before", shared, metrics), _renamed(after, "after", shared, metrics)])
    found = differences(pair, [(f"after {one}", f"before {one}") for one in shared], seed)
    found["method"] = found["method"].str.removeprefix("after ")
    means = {method: _means(pair, method, metrics) for method in shared}
    for when in ("before", "after"):
        found[when] = [means[row.method].loc[row.metric, when] for row in rows_of(found)]
    found["verdict"] = [_verdict(row.metric, row.low, row.high) for row in rows_of(found)]
    columns = ["method", "metric", "before", "after", "mean", "low", "high", "clips", "verdict"]
    return Comparison(before, after, found[columns], _notes(before, after, found))


def _refuse(before: Evaluation, after: Evaluation) -> None:
    for key in SAME_FOR_COMPARISON:
        one, other = before.info.get(key), after.info.get(key)
        if one != other:
            raise PipelineError(
                f"{before.name} and {after.name} differ in {key} ({one} and {other}), so that their metrics cannot be "
                "compared. Evaluate both alike."
            )
    if not set(before.clips["id"]) & set(after.clips["id"]):
        raise PipelineError(
            f"{before.name} and {after.name} have no clip in common: they are evaluations of different corpora or "
            "splits. Evaluate both models on the same test split."
        )


def _renamed(evaluation: Evaluation, name: str, methods: list[str], metrics: list[str]) -> pd.DataFrame:
    clips = _distances(evaluation.clips)
    clips = clips[clips["method"].isin(methods)]
    return clips.reindex(columns=[*KEYS, *METRICS]).assign(method=name + " " + clips["method"])


def _distances(clips: pd.DataFrame) -> pd.DataFrame:
    """With the distance in place of the value, for metrics of which the nearest is the best; the lower the better."""
    real = clips[clips["method"] == "ground_truth"].set_index("id")
    found = {}
    for entry in METRICS.values():
        if entry.nearest and entry.name in clips:
            best = 0 if entry.nearest == "0" else clips["id"].map(real[entry.name])
            found[entry.name] = (clips[entry.name] - best).abs()
    return clips.assign(**found)


def _means(pair: pd.DataFrame, method: str, metrics: list[str]) -> pd.DataFrame:
    """A row per metric, ``before`` and ``after``: means over the clips that have it in both."""
    rows = (pair[pair["method"] == f"{when} {method}"].set_index("id") for when in ("before", "after"))
    before, after = (one[metrics].astype(float) for one in rows)
    before, after = before.align(after, join="inner", axis=0)
    both = before.notna() & after.notna()
    return pd.DataFrame({"before": before[both].mean(), "after": after[both].mean()})


def _verdict(metric: str, low: float, high: float) -> str:
    if not (low > 0 or high < 0):  # also where there are no ends
        return UNCLEAR
    higher_is_better = METRICS[metric].higher_is_better and not METRICS[metric].nearest
    return BETTER if (low > 0) == higher_is_better else WORSE


def _notes(before: Evaluation, after: Evaluation, found: pd.DataFrame) -> list[str]:
    notes = []
    for one, other in ((before, after), (after, before)):
        alone = set(one.clips["id"]) - set(other.clips["id"])
        if alone:
            notes.append(f"{len(alone)} clips are in {one.name} alone and are left out.")
        for kind, names in (("method", set(one.clips["method"])), ("metric", _measured(one))):
            others = set(other.clips["method"]) if kind == "method" else _measured(other)
            if names - others:
                notes.append(f"Only {one.name} has the {kind}s {', '.join(sorted(names - others))}.")
    most = found.groupby("metric")["clips"].max()
    for row in rows_of(found):
        if row.clips < most[row.metric]:
            lack = most[row.metric] - row.clips
            notes.append(f"{METRICS[row.metric].title} of {row.method}: {lack} clips lack it in one of the two.")
    still = found[(found["method"] == "static") & (found["mean"].abs() > 1e-4)]
    if len(still):
        notes.append(
            "`static` differs too, which no model has a part in: the clips, or how they were prepared or measured, are "
            "not the same."
        )
    return notes


def _measured(evaluation: Evaluation) -> set[str]:
    """The metrics that any clip has."""
    return {one for one in METRICS if one in evaluation.clips and evaluation.clips[one].notna().any()}
