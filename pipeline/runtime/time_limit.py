"""Time limits for work that may hang.

A decoder that hangs in libav, or a read from a lost drive, cannot be interrupted from within the process. So a daemon
thread does the work, and is abandoned if it returns nothing in time; it does not keep the process from ending.
"""

from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
_Answer = tuple[list[T], BaseException | None]
_BATCH_ITEMS, _BATCH_SECONDS = 8, 0.01  # passed between threads at once, because each passing costs 30 us


class TimedOut(Exception):
    """The work returned nothing for ``seconds``; ``reason`` is the text for manifests."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.reason = f"reading it hangs: nothing came for {seconds:g} s (extract.time_limit)"


def within(seconds: float, function: Callable[..., T], *args: object) -> T:
    """The result of ``function(*args)``; raises TimedOut after ``seconds`` (0: no limit)."""
    return next(limited(seconds, (function(*args) for _ in range(1))))


def limited(seconds: float, items: Iterable[T]) -> Iterator[T]:
    """The ``items``, drawn a few at a time in another thread; their exceptions are raised here.

    Raises TimedOut if no item comes for ``seconds`` (0: no limit, and no thread). Neither the number of items nor the
    caller's time for each counts.
    """
    if not seconds:
        yield from items
        return
    requests: SimpleQueue[bool] = SimpleQueue()
    answers: SimpleQueue[_Answer[T]] = SimpleQueue()
    Thread(target=_draw, args=(items, requests, answers), name="limited", daemon=True).start()
    try:
        while True:
            requests.put(True)
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
        requests.put(False)


def _draw(items: Iterable[T], requests: SimpleQueue[bool], answers: SimpleQueue[_Answer[T]]) -> None:
    iterator = iter(items)
    while requests.get():
        drawn: list[T] = []
        until = monotonic() + _BATCH_SECONDS
        try:
            while len(drawn) < _BATCH_ITEMS and (not drawn or monotonic() < until):
                drawn.append(next(iterator))
        except BaseException as error:  # also StopIteration, which ends the caller's loop
            answers.put((drawn, error))
            return
        answers.put((drawn, None))
    if hasattr(iterator, "close"):
        iterator.close()  # the caller has stopped: close files at once
