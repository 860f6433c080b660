"""Whose run it is: a process, told from all others that write to the same store."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil  # imported where it is used: without MLflow nothing here needs it

SAME_START = 5.0
"""Seconds by which two readings of one process's start may differ (the kernel derives it from an adjustable clock)."""


@dataclass(frozen=True)
class Owner:
    """A process of this machine that a run belongs to."""

    host: str
    pid: int
    started: float
    """Seconds since the epoch; tells a process from a later one with the same number."""
    processes: str
    """Within what `pid` counts: containers and machines may share a host name and not see each other's processes."""

    @classmethod
    def of(cls, process: "psutil.Process") -> "Owner":
        """The owner that `process` is."""
        return cls(socket.gethostname(), process.pid, process.create_time(), visible_processes())

    @classmethod
    def this(cls) -> "Owner":
        """This process."""
        import psutil

        return cls.of(psutil.Process())

    def same(self, other: "Owner") -> bool:
        """Whether both name the same process."""
        started_together = abs(self.started - other.started) < SAME_START
        mine, theirs = ((one.host, one.processes, one.pid) for one in (self, other))
        return mine == theirs and started_together

    def alive(self) -> bool:
        """Whether the process still runs; asked only of owners whose processes this one sees."""
        import psutil

        try:
            return self.same(Owner.of(psutil.Process(self.pid)))
        except psutil.NoSuchProcess:
            return False


def visible_processes() -> str:
    """What tells the processes that are seen here from those of other containers and machines; the same until a reboot.

    Empty where the system does not say, as outside Linux.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
