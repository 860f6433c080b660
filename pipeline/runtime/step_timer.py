"""How long each step of generation takes."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class StepTimer:
    """Seconds that each named step of a chain of generators takes, without the time it waits for other timed steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._ended = 0.0  # seconds of all steps that have ended

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Time the block, without the steps that are timed within it."""
        begun, ended = time.perf_counter(), self._ended
        try:
            yield
        finally:
            own = time.perf_counter() - begun - (self._ended - ended)
            self.seconds[step] += own
            self._ended += own

    def each(self, step: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items; the time to produce each is the step's."""
        iterator = iter(items)
        while True:
            with self.timed(step):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item
