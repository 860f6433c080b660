"""Normalisation of rows of speech by mean and deviation, which removes effects of voice and microphone.

Rows are multiples of a power of two and their sums are whole numbers, so results do not depend on the chunks of the
recording or on the processor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.speech.mel import STEP

_LEVEL = 0  # the column of the level
_VARIATION = 0.75  # `InitialStatistics.variation` as a share of the level's deviation in the training split


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
        """Count the rows of ``other``."""
        self._count += other._count
        self._sum_C += other._sum_C
        self._squares_C += other._squares_C

    def normalise(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise rows. All counted rows together get mean 0 and deviation 1; a constant column becomes 0."""
        mean_C, deviation_C = self._moments()
        return ((rows_RC / STEP - mean_C) / deviation_C).astype(np.float32)

    def initial(self) -> "InitialStatistics":
        """The mean and deviation of the counted rows, rounded to multiples of `STEP`."""
        mean_C, deviation_C = (np.rint(moment_C) * STEP for moment_C in self._moments())
        variation = float(np.rint(_VARIATION * deviation_C[_LEVEL] / STEP) * STEP)
        return InitialStatistics(tuple(mean_C.tolist()), tuple(deviation_C.tolist()), variation=variation)

    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation in steps; the deviation is at least one step."""
        mean_C = self._sum_C / max(1, self._count)
        return mean_C, np.sqrt(np.maximum(self._squares_C / max(1, self._count) - mean_C**2, 1.0))


@dataclass(frozen=True)
class InitialStatistics:
    """The statistics of `Running` before any speech, and how fast speech replaces them."""

    mean: tuple[float, ...]
    """Mean of each column, a multiple of `STEP`."""
    deviation: tuple[float, ...]
    """Deviation of each column, a multiple of `STEP`."""
    weight: int = 200
    """Number of rows that mean and deviation stand for: 2 s. With fewer, the silence before a sentence would already
    look like average speech."""
    memory: int = 300
    """Number of last rows that count: 3 s."""
    pause: int = 20
    """Rows of steady level after which rows stop counting: 0.2 s."""
    variation: float = 0.0
    """A level whose range over `pause` rows is smaller than this is steady. A multiple of `STEP`; 0: all rows count."""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "InitialStatistics":
        """From the fields as JSON data. Raises KeyError, TypeError or ValueError for the record of another version."""
        moments = {name: tuple(map(float, record[name])) for name in ("mean", "deviation")}
        return cls(**{**record, **moments})


class Running:
    """Normalises each row by the mean and deviation of the last `memory` rows, including the row itself.

    The initial statistics count as `weight` further rows. Rows stop counting when the level has been steady for `pause`
    rows: otherwise long silence would then look like average speech.
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
        """Normalise the next rows (R, C)."""
        new_RC = _steps(rows_RC)
        counts_R = self._counts(new_RC[:, _LEVEL])
        known_RC = np.concatenate([self._last_RC, new_RC[counts_R]])
        ends_R = len(self._last_RC) + np.cumsum(counts_R)
        begins_R = np.maximum(ends_R - self._memory, 0)
        count_R1 = (self._weight + ends_R - begins_R)[:, None]
        sum_RC = self._sum_C + _summed(known_RC, begins_R, ends_R)
        squares_RC = self._squares_C + _summed(known_RC**2, begins_R, ends_R)
        self._last_RC = known_RC[max(0, len(known_RC) - self._memory) :]
        # count^2 times the variance is a whole number, so it is exact.
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
    """Normalise the rows of a whole recording by their own mean and deviation."""
    statistics = Statistics(rows_RC.shape[1])
    statistics.add(rows_RC)
    return statistics.normalise(rows_RC)


def _steps(values: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.asarray(np.rint(values / STEP), np.int64)


def _summed(values_RC: NDArray[np.int64], begins: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.int64]:
    """The sum of rows ``begins`` to ``ends`` for each pair of both."""
    until_RC = np.cumsum(np.pad(values_RC, ((1, 0), (0, 0))), axis=0)
    return np.asarray(until_RC[ends] - until_RC[begins])
