"""Where the time stamps of a file restart or jump, as in recordings that were joined or paused.

Found from the packets alone, without decoding. What comes behind such a place is put right after what was before it, so
that whoever decodes sees one clock. Picture and sound that go together stay together: both are moved by the same time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

_SECOND = 1_000_000  # times are whole microseconds here: fractions take too long for every packet of a corpus
_BACK = _SECOND // 10  # by which packets of one stream may go back
AHEAD = 10
"""Seconds that a packet may be ahead of all before it; FFmpeg's own limit."""
_FOREVER = 10**18
_SETTLED = _SECOND // 2  # other time stamps that go on for so long are another part; for less, they are damaged

_Packet = tuple[int, int, int, int]  # its number in the stream, decoding time, when it is shown, for how long


@dataclass(frozen=True)
class Clock:
    """How the packets of one stream come to lie on one clock."""

    shifts: tuple[tuple[int, int], ...] = ((0, 0),)
    """From which packet on, by its number in the stream, how many microseconds are added to its times."""
    longest: float = AHEAD
    """Most seconds from one packet to the next that are as they should be, such as of a still beside its sound."""
    end: float = 0.0
    """When the last packet ends, s."""


@dataclass(frozen=True)
class Join:
    """Where time stamps restart or jump."""

    time: float
    """When it is reached on the one clock, s."""
    ahead: bool
    """Whether they jump ahead; else they restart."""


@dataclass(eq=False)
class _Part:
    """Packets on one clock, of one stream or both, by the stream's index."""

    ahead: bool = False
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    before: dict[int, "_Part"] = field(default_factory=dict)
    shift: int = 0

    def near(self, time: int) -> bool:
        return min(self.first.values()) - AHEAD * _SECOND <= time <= max(self.last.values()) + AHEAD * _SECOND


class _Stream:
    """One stream while its packets come in."""

    def __init__(self, stream: Any, parts: list[_Part]) -> None:
        self.index = stream.index
        self.parts = parts
        self.part = parts[0]
        self.starts = [(0, self.part)]
        self.longest = AHEAD * _SECOND
        self._is_video = stream.type == "video"
        self._last: int | None = None
        self._early: list[_Packet] = []  # shown long after they are decoded: the first behind a still, or behind a jump
        self._doubted: list[_Packet] = []  # whose times do not go on from the last

    def meet(self, packet: _Packet) -> None:
        """The next packet."""
        _, time, shown, _ = packet
        if self._doubted and _goes_on(self._doubted[-1][1], time):
            self._doubted.append(packet)
            if time - self._doubted[0][1] >= _SETTLED:
                self.settle()
        elif self._last is not None and not _goes_on(max(self._last, min(time, self._beside())), time):
            self._doubted = [packet]
        elif shown - time > AHEAD * _SECOND:
            self._last = time
            self._early.append(packet)
        else:
            for one in (*self._early, packet):
                self._take(one)
            self._early, self._doubted = [], []

    def _beside(self) -> int:
        """How far the other stream has come, which tells a still or a silence from a jump."""
        return max((last for index, last in self.part.last.items() if index != self.index), default=-_FOREVER)

    def settle(self) -> None:
        """The doubted packets are another part: the one that the other stream has come to, or a new one."""
        if len(self._doubted) < 2 or self._last is None:
            return
        time = self._doubted[0][1]
        behind = [*((number, time, shown, length) for number, _, shown, length in self._early), *self._doubted]
        number, _, shown, _ = behind[0]
        later = self.parts[self.parts.index(self.part) + 1 :]
        part = next((one for one in later if one.near(shown)), None)
        if part is None:
            part = _Part(ahead=time > self._last)
            self.parts.append(part)
        part.before[self.index] = self.part
        self.part, self._last = part, None
        self.starts.append((number, part))
        for packet in behind:
            self._take(packet)
        self._early, self._doubted = [], []

    def _take(self, packet: _Packet) -> None:
        _, time, shown, length = packet
        step = 0 if self._last is None else time - self._last
        self.longest = max(self.longest, step)
        if self._is_video:  # whose lengths are the mean at best, also where the rate varies
            length = max(0, min(length, step))
        self._last = time
        self.part.first[self.index] = min(shown, self.part.first.get(self.index, shown))
        self.part.last[self.index] = max(shown + length, self.part.last.get(self.index, shown))


def _goes_on(last: int, time: int) -> bool:
    return last - _BACK <= time <= last + AHEAD * _SECOND


def clocks(packets: Iterable[Any], streams: list[Any]) -> tuple[dict[int, Clock], list[Join]]:
    """The clock of each of the ``streams``, by its index, and where their time stamps restart or jump.

    ``packets`` are those of the ``streams``, from the file's beginning to its end.
    """
    parts = [_Part()]
    met = {stream.index: _Stream(stream, parts) for stream in streams}
    units = {stream.index: (stream.time_base.numerator * _SECOND, stream.time_base.denominator) for stream in streams}
    numbers = dict.fromkeys(met, 0)
    for packet in packets:
        if not packet.size:  # PyAV ends each stream with an empty one
            continue
        index, time = packet.stream_index, packet.dts
        if time is not None:
            shown = time if packet.pts is None else packet.pts
            unit, each = units[index]
            length = packet.duration or 0
            met[index].meet((numbers[index], time * unit // each, shown * unit // each, length * unit // each))
        numbers[index] += 1
    for stream in met.values():
        stream.settle()
    for part in parts[1:]:
        part.shift = max(one.last[index] + one.shift for index, one in part.before.items()) - min(part.first.values())
    found = {
        index: Clock(
            tuple((number, part.shift) for number, part in one.starts),
            one.longest / _SECOND,
            (one.part.last.get(index, 0) + one.part.shift) / _SECOND,
        )
        for index, one in met.items()
    }
    return found, [Join((min(part.first.values()) + part.shift) / _SECOND, part.ahead) for part in parts[1:]]


def is_even(stream: Any) -> bool:
    """Whether the container's own index shows that the times of ``stream`` neither jump nor go back."""
    times = [entry.timestamp for entry in stream.index_entries]
    most = AHEAD / stream.time_base
    return all(0 <= later - earlier <= most for earlier, later in pairwise(times))
