"""Confidence intervals of means over clips."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS = 2000


def interval(values: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """`intervals` of a single column (N,), with all clips in one stratum."""
    low, high = intervals(np.asarray(values, np.float64)[:, None], None, seed)[:, 0]
    return float(low), float(high)


def intervals(values_NM: ArrayLike, strata: Sequence[str] | None = None, seed: int = 0) -> NDArray[np.float64]:
    """The 95% intervals (2, M) of the means of M columns over N clips, by the seeded percentile bootstrap (Efron 1979).

    Clips are drawn within their ``strata`` (N,), such as speakers, which are fixed in a test split. Strata of a single
    clip would never vary, so they are drawn from together. All columns use the same draws. NaN values are left out; a
    column with fewer than two values has NaN.
    """
    values = np.asarray(values_NM, np.float64)
    known = ~np.isnan(values)
    draw = np.random.default_rng(seed)
    counts = np.zeros((ROUNDS, len(values)))  # how often each round draws each clip
    for clips in _groups([""] * len(values) if strata is None else strata):
        counts[:, clips] = draw.multinomial(len(clips), np.full(len(clips), 1 / len(clips)), size=ROUNDS)
    drawn = counts @ known
    with np.errstate(invalid="ignore"):
        means = np.where(drawn > 0, counts @ np.where(known, values, 0.0) / drawn, np.nan)
    ends = np.full((2, values.shape[1]), np.nan)
    enough = known.sum(axis=0) > 1
    if enough.any():
        ends[:, enough] = np.nanpercentile(means[:, enough], [2.5, 97.5], axis=0)
    return ends


def _groups(strata: Sequence[str]) -> list[NDArray[np.intp]]:
    """The clips that are drawn from together."""
    groups = [np.flatnonzero(np.asarray(strata) == name) for name in dict.fromkeys(strata)]
    alone = [group for group in groups if len(group) == 1]
    together = [np.concatenate(alone)] if alone else []
    return [group for group in groups if len(group) > 1] + together
