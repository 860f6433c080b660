"""Being told to end: Ctrl-C, `kill`, `docker stop`, `scancel`, a closed terminal."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ECHO = 2.0  # s in which another signal is taken for the same one: `timeout` and batch systems send it twice


class Stopped(KeyboardInterrupt):
    """The process was sent a signal that ends it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    def __str__(self) -> str:
        return f"Stopped ({self.signal.name}). Run the same command again; what is finished is not done again."


@contextmanager
def stoppable() -> Iterator[None]:
    """Make an exception of every signal that ends a process, so that what is open closes and removes what it began.

    A signal that whoever started the process had it ignore, as `nohup` does, stays ignored. After one that came the
    handlers stay to the end of the process: what is removed then takes time in which it may come again.
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

    earlier = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in earlier.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        if last == float("-inf"):
            for number, handler in earlier.items():
                signal.signal(number, handler)
