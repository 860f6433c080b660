"""The thread that writes to the store, so that a training never waits for the store or fails because of it.

If a server stops answering, all operations so far are repeated in the project's own store.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.tracking import store as stores
from pipeline.tracking.reachability import first_line, unreachable
from pipeline.tracking.runs import MOST_METRICS, Operation, Target, points
from pipeline.tracking.store import Store, store_errors, warn

GATHER_SECONDS = 1.0  # metrics are collected for so long and sent together


class Writer:
    """Applies operations to a target, in order, in its own thread; `reopen` makes a target in another store."""

    def __init__(self, target: Target, reopen: Callable[[Store], Target]) -> None:
        self.target: Target | None = target
        self._reopen = reopen
        self._queue: queue.Queue[Operation | list[Any] | None] = queue.Queue()
        self._journal: list[Operation] = []
        self._complaints: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
        self._thread.start()

    def put(self, operation: Operation) -> None:
        """Queue `operation`; returns at once."""
        self._queue.put(operation)

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Queue metrics, which are written in batches; returns at once."""
        self._queue.put(points(values, step))

    def close(self, last: Operation) -> None:
        """Queue `last`, and wait until everything is written."""
        self._queue.put(last)
        self._queue.put(None)
        with stores.warning_if_slow("waiting until the rest of the run is written to the store."):
            self._thread.join()

    def _work(self) -> None:
        gathered: list[Any] = []
        due = 0.0
        while True:
            try:
                item = self._queue.get(timeout=max(due - time.monotonic(), 0.01) if gathered else None)
            except queue.Empty:
                item = []
            if isinstance(item, list):
                due = due if gathered else time.monotonic() + GATHER_SECONDS
                gathered += item
                if len(gathered) < MOST_METRICS and time.monotonic() < due:
                    continue
            for start in range(0, len(gathered), MOST_METRICS):
                self._log(gathered[start : start + MOST_METRICS])
            gathered = []
            if item is None:
                return
            if not isinstance(item, list):
                self._apply(item)

    def _log(self, metrics: list[Any]) -> None:
        self._apply(lambda target: target.client.log_batch(target.child_id, metrics=metrics))

    def _apply(self, operation: Operation) -> None:
        target = self.target
        if target is None:
            return
        if not target.store.local:
            self._journal.append(operation)
        try:
            operation(target)
        except store_errors() as error:
            if not target.store.local and (problem := unreachable(target.store.uri)):
                stores.warn_of_fallback(target.store.uri, problem)
                journal, self._journal = self._journal, []
                self.target = stores.open_local(self._reopen)
                for earlier in journal:
                    self._apply(earlier)
            elif (message := first_line(error)) not in self._complaints:
                self._complaints.add(message)
                warn(f"an entry could not be written to {target.store.uri}: {message}")
        except Exception:
            # A fault of this program is shown in full, but must not end a training.
            warn(f"a fault in the tracking itself; the run goes on without this entry.\n{traceback.format_exc()}")
