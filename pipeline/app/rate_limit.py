"""Limits uploads and videos per client, so that one client cannot block the page for others."""

import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

_MINUTE = 60.0


class RequestLimit:
    """Counts the requests of the last minute per client address. The serving machine itself has no limit."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        """Allow ``per_minute`` requests. ``now`` returns seconds."""
        self.per_minute = per_minute
        self._now = now
        self._times: dict[str, deque[float]] = {}

    def refusal(self, client: str) -> str | None:
        """Count a request of the client at this address, or return the reason why it is refused, uncounted."""
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
