"""Progress of long work: a bar on a terminal, otherwise, as in a batch job's log, a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from importlib.util import find_spec
from typing import Protocol


class Advance(Protocol):
    """Reports that ``count`` more items are done; ``note`` is shown beside their number, such as the latest loss."""

    def __call__(self, count: int, note: str = "") -> None:
        """Update the bar, or print a line if it is time for one."""


@contextmanager
def progress(title: str, total: int, every: float = 60.0, done: int = 0) -> Iterator[Advance]:
    """Show the progress of ``total`` items of work. An earlier process has finished ``done`` of them.

    Yields the function to call with the number of items that were done since its last call. Without a terminal for a
    bar, or rich to draw it, a line is printed after each ``every`` seconds.
    """
    with ExitStack() as stack:
        if find_spec("rich") is not None:  # a machine that only trains may lack it
            from rich import get_console
            from rich.progress import Progress

            if get_console().is_terminal:
                bars = stack.enter_context(Progress(transient=True))
                bar = bars.add_task(title, total=total, completed=done)
                yield lambda count, note="": bars.update(bar, advance=count, description=f"{title} {note}".rstrip())
                return
        yield _Lines(title, total, every, done)


@contextmanager
def progress_of(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """As `progress`, for work that reports how many items are done and how many there are, or None if unknown."""
    with ExitStack() as stack:
        advance: Advance | None = None
        before = 0

        def report(done: int, total: int | None) -> None:
            nonlocal advance, before
            if total is not None:
                advance = advance or stack.enter_context(progress(title, total))
                advance(done - before)
                before = done

        yield report


class _Lines:
    """Prints the number of items done and, at the rate since the last line, the remaining time."""

    def __init__(self, title: str, total: int, every: float, done: int) -> None:
        self.title, self.total, self.every = title, total, every
        self.done = self.printed = done
        self.since = time.monotonic()

    def __call__(self, count: int, note: str = "") -> None:
        self.done += count
        now = time.monotonic()
        if now - self.since < self.every or self.done == self.printed:
            return
        rate = (self.done - self.printed) / (now - self.since)
        left = timedelta(seconds=round((self.total - self.done) / rate))
        about = f", {note}" if note else ""
        print(f"{self.title}: {self.done} of {self.total}{about}, {rate:.1f} per second, {left} to go", flush=True)
        self.printed, self.since = self.done, now
