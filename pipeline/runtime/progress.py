"""Progress of long work: a bar on a terminal, and a line now and then where there is none, as in a batch job's log."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

Advance = Callable[[int], None]


@contextmanager
def progress(title: str, total: int, every: float = 60.0) -> Iterator[Advance]:
    """Gives the function that is told how many more of ``total`` are done; lines come ``every`` so many seconds."""
    from rich import get_console
    from rich.progress import Progress

    if not get_console().is_terminal:
        yield _Lines(title, total, every)
        return
    with Progress(transient=True) as bars:
        bar = bars.add_task(title, total=total)
        yield lambda count: bars.advance(bar, count)


@contextmanager
def progress_of(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """As `progress`, of work that itself says how much is done, and of how much, where it knows."""
    with ExitStack() as stack:
        advance: Advance | None = None
        before = 0

        def tell(done: int, total: int | None) -> None:
            nonlocal advance, before
            if total is not None:
                advance = advance or stack.enter_context(progress(title, total))
                advance(done - before)
                before = done

        yield tell


class _Lines:
    """Prints how far the work is and, at the rate since the last line, how long it will go on."""

    def __init__(self, title: str, total: int, every: float) -> None:
        self.title, self.total, self.every = title, total, every
        self.done = self.told = 0
        self.since = time.monotonic()

    def __call__(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.since < self.every or self.done == self.told:
            return
        rate = (self.done - self.told) / (now - self.since)
        left = timedelta(seconds=round((self.total - self.done) / rate))
        print(f"{self.title}: {self.done} of {self.total}, {rate:.1f} per second, {left} to go", flush=True)
        self.told, self.since = self.done, now
