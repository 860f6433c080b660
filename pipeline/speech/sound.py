"""Speech that is still coming."""

import sys
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.runtime.errors import PipelineError


class Sound:
    """Mono samples at 16 kHz, asked for as they are needed: from a file, a microphone, or an array at once.

    For one reader. Keeps what was not forgotten.
    """

    def __init__(self, blocks: Iterable[NDArray[np.int16]]) -> None:
        """``blocks`` (N,) of any lengths, empty ones too."""
        self._blocks = iter(blocks)
        self._held: deque[NDArray[np.int16]] = deque()
        self._begin = self._end = 0

    def until(self, end: int = sys.maxsize) -> int:
        """Wait for the first ``end`` samples; how many of these there are, fewer where the sound ends before.

        Raises PipelineError for a block that is not samples.
        """
        while self._end < end and (block := next(self._blocks, None)) is not None:
            if not isinstance(block, np.ndarray) or block.dtype != np.int16 or block.ndim != 1:
                found = f"{block.dtype} {block.shape}" if isinstance(block, np.ndarray) else type(block).__name__
                raise PipelineError(f"The speech is {found}. Give 16 kHz mono samples as int16 (N,).")
            self._held.append(block.copy())  # whoever gives it may use its memory for the next one
            self._end += len(block)
        return min(end, self._end)

    def cut(self, begin: int, end: int) -> NDArray[np.int16]:
        """Samples ``begin`` to ``end`` of those that were waited for."""
        parts, at = [np.zeros(0, np.int16)], self._begin
        for block in self._held:
            parts.append(block[max(0, begin - at) : max(0, end - at)])
            at += len(block)
        return np.concatenate(parts)

    def forget(self, before: int) -> None:
        """Let go of what lies before that sample."""
        while self._held and self._begin + len(self._held[0]) <= before:
            self._begin += len(self._held.popleft())
