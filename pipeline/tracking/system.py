"""Load of the machine during a stage: processor, memory, disk, network, and GPU if there is one."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

SIGN = "system/cpu_utilization_percentage"  # a metric that is in every sample


@contextmanager
def system_metrics(report: Callable[[Mapping[str, float], int], None], run_id: str) -> Iterator[None]:
    """Sample MLflow's monitors in a thread, and pass each sample to `report(values, step)`.

    MLflow's own thread would query the server at every sample, and end at the first error. The last sample is taken at
    the end, so that short stages have one too.
    """
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitors: Any = SystemMetricsMonitor
    monitor, stop = monitors(run_id), threading.Event()

    def work() -> None:
        for step in count():
            stopping = stop.wait(monitor.sampling_interval or 10.0)
            monitor.collect_metrics()
            values = monitor.aggregate_metrics()
            for each in monitor.monitors:
                each.clear_metrics()
            report({f"system/{name}": value for name, value in values.items()}, step)
            if stopping:
                return

    thread = threading.Thread(target=work, name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
