"""Being told to end: Ctrl-C, `kill`, `docker stop`, `scancel`, a closed terminal."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ECHO = 5.0
"""Seconds in which another signal is taken for the same one, which `timeout` and batch systems send twice, and in which
what is open closes; Ctrl-C pressed again later is heard."""


class Stopped(KeyboardInterrupt):
    """The process was sent a signal that ends it."""

    kept = "Run the same command again; what is finished is not done again."
    """What is left of the work, as its user is told."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    def __str__(self) -> str:
        return f"Stopped ({self.signal.name}). {self.kept}"


@contextmanager
def stoppable() -> Iterator[None]:
    """Make an exception of every signal that ends a process, so that what is open closes and removes what it began.

    A signal that whoever started the process had it ignore, as `nohup` does, stays ignored. The block is a program's
    whole work: the handlers stay, so that a signal does not break off the closing of what is behind it either.
    """
    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield
        return
    last = float("-inf")

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before > _ECHO:
            raise Stopped(number)

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        last = time.monotonic()
