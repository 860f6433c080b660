"""How many uploads and videos another machine may ask for, so that one client cannot block the page for all others."""

import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

_MINUTE = 60.0


class RequestLimit:
    """Counts the requests of the last minute by client address. The machine that serves the page has no limit."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        """``now`` gives seconds."""
        self.per_minute = per_minute
        self._now = now
        self._times: dict[str, deque[float]] = {}

    def refusal(self, client: str) -> str | None:
        """Count one request of the client at this address. A refused request is not counted; the message says why."""
        if _is_local(client):
            return None
        now = self._now()
        self._forget(now - _MINUTE)
        times = self._times.setdefault(client, deque())
        if len(times) < self.per_minute:
            times.append(now)
            return None
        wait = max(1, round(times[0] + _MINUTE - now))
        return f"You sent more than {self.per_minute} requests in a minute. Try again in {wait} s."

    def _forget(self, before: float) -> None:
        for client, times in list(self._times.items()):
            while times and times[0] <= before:
                times.popleft()
            if not times:
                del self._times[client]


def _is_local(client: str) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
