"""Load of the machine during a stage: processor, memory, disk, network, and GPU if there is one."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

INTERVAL_SECONDS = 10.0

SIGN = "system/cpu_utilization_percentage"
"""A metric that is in every sample."""


class SystemMetrics:
    """Samples MLflow's monitors in a thread, and passes each sample to `report(values, step)`.

    MLflow's own thread would query the server at every sample, and end at the first error.
    """

    def __init__(self, report: Callable[[Mapping[str, float], int], None], run_id: str) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._report = report
        monitors: Any = SystemMetricsMonitor
        self._monitor = monitors(run_id)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="system metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the last sample, so that short stages have one too, and end the thread."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        step = 0
        while True:
            stopping = self._stop.wait(self._monitor.sampling_interval or INTERVAL_SECONDS)
            self._monitor.collect_metrics()
            values = self._monitor.aggregate_metrics()
            for monitor in self._monitor.monitors:
                monitor.clear_metrics()
            self._report({f"system/{name}": value for name, value in values.items()}, step)
            step += 1
            if stopping:
                return
