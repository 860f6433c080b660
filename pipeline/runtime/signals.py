"""Signals that end a program: Ctrl-C, `kill`, a closed terminal."""

import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REPEAT_SECONDS = 5.0
"""A signal within this time after another counts as the same one: `timeout` and batch systems send two. Meanwhile open
files close."""
_CHECK_SECONDS = 0.5
"""How often a stopped program checks whether a library dropped `Stopped`, as a bare `except` during an import does. The
error is then raised again."""


class Stopped(KeyboardInterrupt):
    """The process got a signal that ends it."""

    kept = "Run the same command again; what is finished is not done again."
    """Says what is left of the work."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    def __str__(self) -> str:
        return f"Stopped ({self.signal.name}). {self.kept}"


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped on signals that end a process (Ctrl-C, `kill`, `scancel`), so that open files are closed.

    Signals that the parent process made this one ignore, as `nohup` does, stay ignored. The block is the whole program:
    the handlers remain, so that a repeated signal does not interrupt the closing.
    """
    if threading.current_thread() is not threading.main_thread():  # other threads get no signals
        yield
        return
    last = float("-inf")
    error: Callable[[], Stopped | None]  # a weak reference, which tells whether anyone still has the error

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before > _REPEAT_SECONDS:
            signal.signal(signal.SIGALRM, lambda *_: raise_again(number))
            signal.setitimer(signal.ITIMER_REAL, _CHECK_SECONDS, _CHECK_SECONDS)
            raise_stopped(number)

    def raise_again(number: int) -> None:
        if error() is None:
            raise_stopped(number)

    def raise_stopped(number: int) -> None:
        nonlocal error
        stopped = Stopped(number)
        error = weakref.ref(stopped)
        try:
            raise stopped
        finally:
            del stopped  # the traceback has this frame, which would keep the error

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        if last > float("-inf"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        last = time.monotonic()
