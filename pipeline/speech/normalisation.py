"""Rows of speech by their mean and deviation, which removes what a voice and a microphone add.

`Statistics` are those of a whole recording, so a file is read twice: once for them, once for the rows. `Running` adapts
while speech comes, and does not change in pauses. Rows are multiples of a power of two, and their sums are kept as
whole numbers: the same whatever chunks the recording comes in, and on every processor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.speech.mel import STEP

_LEVEL = 0
"""The column of the level."""
_VARIATION = 0.75
"""`InitialStatistics.variation` as a share of the level's deviation in the training split."""


class Statistics:
    """Mean and standard deviation of each column of rows that come in chunks."""

    def __init__(self, columns: int) -> None:
        self._count = 0
        self._sum_C, self._squares_C = np.zeros(columns, np.int64), np.zeros(columns, np.int64)

    def add(self, rows_RC: NDArray[np.float32]) -> None:
        """Count further rows."""
        steps_RC = _steps(rows_RC)
        self._count += len(rows_RC)
        self._sum_C += steps_RC.sum(axis=0)
        self._squares_C += (steps_RC**2).sum(axis=0)

    def merge(self, other: "Statistics") -> None:
        """Count the rows that another one counted."""
        self._count += other._count
        self._sum_C += other._sum_C
        self._squares_C += other._squares_C

    def normalise(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows of mean 0 and deviation 1, if they are all that were counted; a column that does not vary is 0."""
        mean_C, deviation_C = self._moments()
        return ((rows_RC / STEP - mean_C) / deviation_C).astype(np.float32)

    def initial(self) -> "InitialStatistics":
        """The mean and deviation of what was counted, rounded to the rows' own grid."""
        mean_C, deviation_C = (np.rint(moment_C) * STEP for moment_C in self._moments())
        variation = float(np.rint(_VARIATION * deviation_C[_LEVEL] / STEP) * STEP)
        return InitialStatistics(tuple(mean_C.tolist()), tuple(deviation_C.tolist()), variation=variation)

    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """In steps; the deviation is one step at least."""
        mean_C = self._sum_C / max(1, self._count)
        return mean_C, np.sqrt(np.maximum(self._squares_C / max(1, self._count) - mean_C**2, 1.0))


@dataclass(frozen=True)
class InitialStatistics:
    """Where the statistics of `Running` start, and how soon speech replaces these."""

    mean: tuple[float, ...]
    """Of each column, a multiple of `STEP`."""
    deviation: tuple[float, ...]
    """Of each column, a multiple of `STEP`."""
    weight: int = 30
    """Rows that mean and deviation count for: 0.3 s."""
    memory: int = 300
    """Rows of speech that count, the last ones: 3 s."""
    pause: int = 50
    """Rows of steady level after which rows stop counting: 0.5 s."""
    variation: float = 0.0
    """A level whose range over `pause` rows is smaller than this is steady. A multiple of `STEP`; 0: all rows count."""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "InitialStatistics":
        """From its fields as JSON holds them. Raises KeyError, TypeError or ValueError for another record."""
        moments = {name: tuple(map(float, record[name])) for name in ("mean", "deviation")}
        return cls(**{**record, **moments})


class Running:
    """Rows normalised by the mean and deviation of the rows so far.

    The row itself counts, and so do the rows before it, `memory` rows in all. The initial statistics count as `weight`
    further rows. No later row counts, so a row is normalised as soon as it is heard.

    Rows stop counting when the level has been steady for `pause` rows. Otherwise the statistics would adapt to long
    silence, whose rows would then look like average speech. Speech of any level varies, so a quiet voice after a loud
    one counts.
    """

    def __init__(self, initial: InitialStatistics) -> None:
        mean_C, deviation_C = (_steps(np.array(moment)) for moment in (initial.mean, initial.deviation))
        self._weight, self._memory = initial.weight, initial.memory
        self._sum_C = initial.weight * mean_C
        self._squares_C = initial.weight * (mean_C**2 + deviation_C**2)
        self._last_RC = np.zeros((0, len(mean_C)), np.int64)  # at most `memory` rows that count, in steps
        self._pause, self._variation = initial.pause, round(initial.variation / STEP)
        self._levels = np.zeros(0, np.int64)  # of the last rows, at most `pause` - 1

    def normalise(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows (R, C) that follow those of the call before."""
        new_RC = _steps(rows_RC)
        counts_R = self._counts(new_RC[:, _LEVEL])
        known_RC = np.concatenate([self._last_RC, new_RC[counts_R]])
        ends_R = len(self._last_RC) + np.cumsum(counts_R)
        begins_R = np.maximum(ends_R - self._memory, 0)
        count_R1 = (self._weight + ends_R - begins_R)[:, None]
        sum_RC = self._sum_C + _summed(known_RC, begins_R, ends_R)
        squares_RC = self._squares_C + _summed(known_RC**2, begins_R, ends_R)
        self._last_RC = known_RC[max(0, len(known_RC) - self._memory) :]
        # count^2 times the variance is a whole number, which rounding does not touch.
        variance_RC = (count_R1 * squares_RC - sum_RC**2) / count_R1**2
        deviation_RC = np.sqrt(np.maximum(variance_RC, 1.0))
        return np.asarray((new_RC - sum_RC / count_R1) / deviation_RC, np.float32)

    def _counts(self, levels_R: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each row counts, by the levels of new rows."""
        known_S = np.concatenate([self._levels, levels_R])
        self._levels = known_S[max(0, len(known_S) - self._pause + 1) :]
        if len(known_S) < self._pause:
            return np.ones(len(levels_R), np.bool_)
        varied_R = np.ptp(sliding_window_view(known_S, self._pause), axis=1) >= self._variation
        return np.concatenate([np.ones(len(levels_R) - len(varied_R), np.bool_), varied_R])


def normalised(rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of a whole recording by their own mean and deviation."""
    statistics = Statistics(rows_RC.shape[1])
    statistics.add(rows_RC)
    return statistics.normalise(rows_RC)


def _steps(values: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.asarray(np.rint(values / STEP), np.int64)


def _summed(values_RC: NDArray[np.int64], begins: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.int64]:
    """The sums of rows ``begins`` to ``ends``, one for each pair."""
    until_RC = np.concatenate([np.zeros((1, values_RC.shape[1]), np.int64), np.cumsum(values_RC, axis=0)])
    return np.asarray(until_RC[ends] - until_RC[begins])
