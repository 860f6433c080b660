"""Progress of long work: a bar on a terminal, and otherwise, as in a batch job's log, a line every 15 seconds."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from importlib.util import find_spec
from threading import Event, Thread
from typing import Protocol, TypeVar

T = TypeVar("T")
LINE_SECONDS = 15.0
"""Time between two lines without a terminal."""


class Advance(Protocol):
    """Reports that ``count`` more items are done; ``note`` is shown beside their number, such as the latest loss."""

    def __call__(self, count: int, note: str = "") -> None:
        """Update the bar, or the numbers of the next line."""


@contextmanager
def progress(title: str, total: int, every: float = LINE_SECONDS, done: int = 0) -> Iterator[Advance]:
    """Show the progress of ``total`` items of work. An earlier process has finished ``done`` of them.

    Yields the function to call with the number of items that were done since its last call. Without a terminal for a
    bar, or rich to draw it, a line is printed after each ``every`` seconds, also while a single item takes longer.
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
        yield stack.enter_context(_Lines(title, total, every, done))


def with_progress(items: Iterable[T], title: str, total: int) -> Iterator[T]:
    """Yield the items and show their progress; ``total`` is their number."""
    with progress(title, total) as advance:
        for item in items:
            yield item
            advance(1)


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
    """Prints the number of items done and, at the rate since the last new item, the remaining time.

    A thread prints, because a single item may take minutes.
    """

    def __init__(self, title: str, total: int, every: float, done: int) -> None:
        self.title, self.total, self.every = title, total, every
        self.done = self.printed = done
        self.note = ""
        self.began = self.since = time.monotonic()
        self.ended = Event()

    def __enter__(self) -> Advance:
        self.output = sys.stdout  # which the main thread may replace
        self.thread = Thread(target=self._print_lines, name="progress", daemon=True)
        self.thread.start()
        return self.advance

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join(timeout=1)  # so that no line follows; a full pipe may block it

    def advance(self, count: int, note: str = "") -> None:
        """Count items; the thread prints them."""
        self.done, self.note = self.done + count, note or self.note

    def _print_lines(self) -> None:
        while not self.ended.wait(self.every):
            try:
                print(f"{self._line()}\n", end="", flush=True, file=self.output)
            except (OSError, ValueError):  # the output is closed: the main thread reports it
                return

    def _line(self) -> str:
        now, done = time.monotonic(), self.done
        line = f"{self.title}: {done} of {self.total}{self.note and f', {self.note}'}"
        if done == self.printed:
            return f"{line}, after {timedelta(seconds=round(now - self.began))}"
        rate = (done - self.printed) / (now - self.since)
        self.printed, self.since = done, now
        return f"{line}, {rate:.1f} per second, {timedelta(seconds=round((self.total - done) / rate))} to go"
