"""Giving up what hangs.

A decoder stuck inside libav, or a read from a drive that went away, cannot be interrupted from within a process. What
can be done is to stop waiting: a thread does the work, and is left behind when nothing comes from it any more. It is a
daemon, so it holds what it has until the process ends, and keeps no process from ending.
"""

from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
_Answer = tuple[list[T], BaseException | None]
_MOST, _TOGETHER = 8, 0.01  # items, and seconds of work, that are handed over at once: each handing over costs 30 us


class TimedOut(Exception):
    """Nothing came for ``seconds``; ``reason`` says so in a manifest's words."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.reason = f"reading it hangs: nothing came for {seconds:g} s (extract.time_limit)"


def within(seconds: float, function: Callable[..., T], *args: object) -> T:
    """What ``function(*args)`` gives; TimedOut after ``seconds`` without it (0: no limit)."""
    return next(limited(seconds, (function(*args) for _ in range(1))))


def limited(seconds: float, items: Iterable[T]) -> Iterator[T]:
    """The ``items``, drawn a few at a time in a thread of their own; what they raise is raised here.

    The limit is on waiting for the next item, so long and slow work may take as long as it likes, and neither the
    length of a clip nor what the caller does with an item counts. Raises TimedOut when nothing comes for ``seconds``
    (0: no limit, and no thread).
    """
    if not seconds:
        yield from items
        return
    asked: SimpleQueue[bool] = SimpleQueue()
    answers: SimpleQueue[_Answer[T]] = SimpleQueue()
    Thread(target=_draw, args=(items, asked, answers), name="limited", daemon=True).start()
    try:
        while True:
            asked.put(True)
            try:
                drawn, error = answers.get(timeout=seconds)
            except Empty:
                raise TimedOut(seconds) from None
            yield from drawn
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
    finally:
        asked.put(False)


def _draw(items: Iterable[T], asked: SimpleQueue[bool], answers: SimpleQueue[_Answer[T]]) -> None:
    iterator = iter(items)
    while asked.get():
        drawn: list[T] = []
        until = monotonic() + _TOGETHER
        try:
            while len(drawn) < _MOST and (not drawn or monotonic() < until):
                drawn.append(next(iterator))
        except BaseException as error:  # StopIteration too: it ends the caller's loop
            answers.put((drawn, error))
            return
        answers.put((drawn, None))
    close = getattr(iterator, "close", None)  # the caller wants no more: files are closed at once, not by and by
    if close is not None:
        close()
