"""What this machine offers: cores, and numbers of processes that environment variables set."""

import os
from typing import Literal

from pipeline.runtime.errors import PipelineError

Precision = Literal["auto", "float32", "bfloat16"]
"""Number type of networks' products; auto is bfloat16 if the hardware multiplies it natively."""


def cores() -> int:
    """Cores that this process may use: the least of the machine's cores, the process's affinity and a container's
    quota (cgroups v1 and v2).
    """
    try:
        from joblib import cpu_count
    except ModuleNotFoundError:  # a machine that only trains
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(cpu_count())


def jobs() -> int:
    """Worker processes: ``ATVGNET_JOBS``, else one per core. Not a parameter, because it never changes a result."""
    return _count("ATVGNET_JOBS", "worker processes") or cores()


def training_processes() -> int:
    """Processes on this machine that train together: ``ATVGNET_PROCESSES``, else 1. Not a parameter either."""
    return _count("ATVGNET_PROCESSES", "processes that train together") or 1


def _count(variable: str, what: str) -> int | None:
    text = os.environ.get(variable)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise PipelineError(f"{variable} is {text!r}. Set it to a whole number of {what}, at least 1, or unset it.")
    return int(text)
