"""Speech that may still be arriving."""

import sys
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.errors import PipelineError


class Sound:
    """Mono 16 kHz samples of one reader, fetched when needed: from a file, a microphone, or an array.

    Samples stay in memory until `forget`.
    """

    def __init__(self, blocks: Iterable[NDArray[np.int16]]) -> None:
        """Read from ``blocks`` (N,) of any length, including 0."""
        self._blocks = iter(blocks)
        self._held: deque[NDArray[np.int16]] = deque()
        self._begin = self._end = 0

    def until(self, end: int = sys.maxsize) -> int:
        """Wait for the first ``end`` samples and return their number, which is smaller when the sound ends before.

        Raises PipelineError for a block of another type or shape.
        """
        while self._end < end and (block := next(self._blocks, None)) is not None:
            if not isinstance(block, np.ndarray) or block.dtype != np.int16 or block.ndim != 1:
                kind = f"{block.dtype} {block.shape}" if isinstance(block, np.ndarray) else type(block).__name__
                raise PipelineError(f"The speech is {kind}. Give 16 kHz mono samples as int16 (N,).")
            self._held.append(block.copy())  # the caller may reuse the memory for the next block
            self._end += len(block)
        return min(end, self._end)

    def cut(self, begin: int, end: int) -> NDArray[np.int16]:
        """Samples ``begin`` to ``end``, of those that `until` has waited for."""
        parts, at = [np.zeros(0, np.int16)], self._begin
        for block in self._held:
            parts.append(block[max(0, begin - at) : max(0, end - at)])
            at += len(block)
        return np.concatenate(parts)

    def forget(self, before: int) -> None:
        """Free the memory of samples before this one."""
        while self._held and self._begin + len(self._held[0]) <= before:
            self._begin += len(self._held.popleft())
