"""The process that a run belongs to, told from all others that write to the same store."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

SAME_START = 5.0  # two readings of a process's start may differ by so many seconds, as clocks are adjusted


@dataclass(frozen=True)
class Owner:
    """A process of this machine."""

    host: str
    pid: int
    started: float  # seconds since the epoch; distinguishes processes with the same number
    processes: str  # the name space of `pid`: containers with one host name may not see each other's processes

    @classmethod
    def of(cls, pid: int | None = None) -> "Owner":
        """The process with this number, or this process. Raises psutil.NoSuchProcess."""
        import psutil  # here, because it is missing without MLflow

        process = psutil.Process(pid)
        return cls(socket.gethostname(), process.pid, process.create_time(), visible_processes())

    def same(self, other: "Owner") -> bool:
        """Whether both name the same process."""
        mine, theirs = ((owner.host, owner.processes, owner.pid) for owner in (self, other))
        return mine == theirs and abs(self.started - other.started) < SAME_START

    def alive(self) -> bool:
        """Whether the process still runs; valid only for processes that are visible from this one."""
        import psutil

        try:
            return self.same(Owner.of(self.pid))
        except psutil.NoSuchProcess:
            return False


def visible_processes() -> str:
    """An identifier of the visible processes, which differs between containers and machines and changes at a reboot.

    Empty outside Linux.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
