"""How many cores this process may use, which in a container or a batch job is not what the machine has."""

import os

from pipeline.runtime.errors import PipelineError


def cores() -> int:
    """The least of the machine's cores, the process's affinity and a container's quota (cgroups v1 and v2)."""
    try:
        from joblib import cpu_count
    except ModuleNotFoundError:  # a bare GPU machine
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(cpu_count())


def jobs() -> int:
    """Worker processes: ``ATVGNET_JOBS``, else one per core. Not a param, since it never changes a result."""
    return _count("ATVGNET_JOBS", "worker processes") or cores()


def training_processes() -> int:
    """Processes of this machine in which a training stage trains: ``ATVGNET_PROCESSES``, else 1. Not a param either."""
    return _count("ATVGNET_PROCESSES", "processes that train together") or 1


def _count(variable: str, what: str) -> int | None:
    text = os.environ.get(variable)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise PipelineError(f"{variable} is {text!r}. Set it to a whole number of {what}, at least 1, or unset it.")
    return int(text)
