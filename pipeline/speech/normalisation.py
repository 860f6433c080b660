"""Rows of speech by the mean and deviation of the recording they are of: what a voice and a microphone add goes.

Both are over all of the recording, so a file is read twice: once for them, once for the rows. Rows are multiples of a
power of two, and their sums are kept as whole numbers: the same whatever chunks the recording comes in.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.mfcc import STEP


class Statistics:
    """Mean and standard deviation of each column of rows that come in chunks."""

    def __init__(self, columns: int) -> None:
        self._count = 0
        self._sum_C, self._squares_C = np.zeros(columns, np.int64), np.zeros(columns, np.int64)

    def add(self, rows_RC: NDArray[np.float32]) -> None:
        """Count further rows."""
        steps_RC = np.rint(rows_RC / STEP).astype(np.int64)
        self._count += len(rows_RC)
        self._sum_C += steps_RC.sum(axis=0)
        self._squares_C += (steps_RC**2).sum(axis=0)

    def normalise(self, rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows of mean 0 and deviation 1, if they are all that were counted; a column that does not vary is 0."""
        mean_C = self._sum_C / max(1, self._count)
        deviation_C = np.sqrt(np.maximum(self._squares_C / max(1, self._count) - mean_C**2, 1.0))
        return ((rows_RC / STEP - mean_C) / deviation_C).astype(np.float32)


def normalised(rows_RC: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of a whole recording by their own mean and deviation."""
    statistics = Statistics(rows_RC.shape[1])
    statistics.add(rows_RC)
    return statistics.normalise(rows_RC)
