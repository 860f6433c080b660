"""How long the steps of one piece of work take, where each asks the one before it for what it needs."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class Steps:
    """Seconds by step; what a step waits for another that is timed too is the other's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._known = 0.0  # of all steps that have ended

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """The block, without what of it is other steps'."""
        begun, known = time.perf_counter(), self._known
        try:
            yield
        finally:
            own = time.perf_counter() - begun - (self._known - known)
            self.seconds[step] += own
            self._known += own

    def each(self, step: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items, each timed until it is there."""
        waiting = iter(items)
        while True:
            with self.timed(step):
                try:
                    item = next(waiting)
                except StopIteration:
                    return
            yield item
