"""Where a file's time stamps restart or jump, as in joined or paused recordings, from the packets alone.

What follows such a place is put directly after what precedes it, so that all frames lie on one clock. Video and sound
are shifted by the same time, so that they stay in sync.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pipeline.media.errors import library_errors_suppressed

_SECOND = 1_000_000  # times are whole microseconds: fractions take too long for every packet of a corpus
_MAX_STEP_BACK = _SECOND // 10
MAX_STEP = 10  # seconds by which a packet may be ahead of all earlier ones; FFmpeg's own limit
_MAX_STEP = MAX_STEP * _SECOND
_MIN_PART = _SECOND // 2  # other time stamps that go on for so long are a new part; shorter ones are damaged

_Packet = tuple[int, ...]  # number in the stream, decoding time, presentation time, duration


@dataclass(frozen=True)
class Clock:
    """How the packets of one stream are shifted to one clock."""

    shifts: tuple[tuple[int, int], ...] = ((0, 0),)
    """Pairs of a packet's number and the microseconds that are added to the times from that packet on."""
    longest: float = MAX_STEP
    """The longest valid step between two packets in seconds, for example of a still picture."""
    end: float = 0.0
    """End of the last packet in seconds."""


@dataclass(frozen=True)
class Join:
    """A place where time stamps restart or jump."""

    time: float
    """Seconds on the one clock."""
    ahead: bool
    """Whether time stamps jump ahead; otherwise they restart."""


@dataclass(eq=False)
class _Part:
    """Packets on one clock, of one or both streams, by the stream's index."""

    ahead: bool = False
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    before: dict[int, "_Part"] = field(default_factory=dict)
    shift: int = 0

    def is_near(self, time: int) -> bool:
        return min(self.first.values()) - _MAX_STEP <= time <= max(self.last.values()) + _MAX_STEP


class _Stream:
    """Assigns the packets of one stream to parts."""

    def __init__(self, stream: Any, parts: list[_Part]) -> None:
        self.index, self.parts, self.part = stream.index, parts, parts[0]
        self.starts = [(0, self.part)]
        self.longest = _MAX_STEP
        self._is_video = stream.type == "video"
        self._last: int | None = None
        self._early: list[_Packet] = []  # decoded long before they are shown: they precede a still or follow a jump
        self._doubtful: list[_Packet] = []  # their times do not continue the earlier ones

    def add(self, packet: _Packet) -> None:
        _, time, shown, _ = packet
        if self._doubtful and _continues(self._doubtful[-1][1], time):
            self._doubtful.append(packet)
            if time - self._doubtful[0][1] >= _MIN_PART:
                self.start_part()
        elif self._last is not None and not _continues(self._latest(self._last, time), time):
            self._doubtful = [packet]
        elif shown - time > _MAX_STEP:
            self._last = time
            self._early.append(packet)
        else:
            self._accept([*self._early, packet])

    def _latest(self, last: int, time: int) -> int:
        """The last time of either stream, up to ``time``: it tells a still picture or silence from a jump."""
        return max([last, *(min(time, other) for index, other in self.part.last.items() if index != self.index)])

    def start_part(self) -> None:
        """Assign the doubtful packets to a part that the other stream has begun, or to a new one."""
        if len(self._doubtful) < 2 or self._last is None:
            return
        time = self._doubtful[0][1]
        # The early packets are shown with the new part, so they take its decoding time.
        packets = [*((number, time, shown, length) for number, _, shown, length in self._early), *self._doubtful]
        number, _, shown, _ = packets[0]
        later = self.parts[self.parts.index(self.part) + 1 :]
        part = next((part for part in later if part.is_near(shown)), None)
        if part is None:
            part = _Part(ahead=time > self._last)
            self.parts.append(part)
        part.before[self.index] = self.part
        self.part, self._last = part, None
        self.starts.append((number, part))
        self._accept(packets)

    def _accept(self, packets: list[_Packet]) -> None:
        for _, time, shown, length in packets:
            step = 0 if self._last is None else time - self._last
            self.longest = max(self.longest, step)
            if self._is_video:  # containers give a mean duration at best, also for variable frame rates
                length = max(0, min(length, step))
            self._last = time
            self.part.first[self.index] = min(shown, self.part.first.get(self.index, shown))
            self.part.last[self.index] = max(shown + length, self.part.last.get(self.index, shown))
        self._early, self._doubtful = [], []


def _continues(last: int, time: int) -> bool:
    return last - _MAX_STEP_BACK <= time <= last + _MAX_STEP


def clocks(packets: Iterable[Any], streams: list[Any]) -> tuple[dict[int, Clock], list[Join]]:
    """The clock of each stream by its index, and where time stamps restart or jump.

    ``packets`` are all packets of ``streams``, in the file's order, up to where the container breaks off.
    """
    parts = [_Part()]
    by_index = {stream.index: _Stream(stream, parts) for stream in streams}
    units = {stream.index: (stream.time_base.numerator * _SECOND, stream.time_base.denominator) for stream in streams}
    numbers = dict.fromkeys(by_index, 0)
    with library_errors_suppressed():
        for packet in packets:
            if not packet.size:  # PyAV ends each stream with an empty packet
                continue
            index, time = packet.stream_index, packet.dts
            if time is not None:
                unit, divisor = units[index]
                times = (time, time if packet.pts is None else packet.pts, packet.duration or 0)
                by_index[index].add((numbers[index], *(value * unit // divisor for value in times)))
            numbers[index] += 1
    for stream in by_index.values():
        stream.start_part()
    for part in parts[1:]:
        ends = [before.last[index] + before.shift for index, before in part.before.items()]
        part.shift = max(ends) - min(part.first.values())
    joined = {
        index: Clock(
            tuple((number, part.shift) for number, part in stream.starts),
            stream.longest / _SECOND,
            (stream.part.last.get(index, 0) + stream.part.shift) / _SECOND,
        )
        for index, stream in by_index.items()
    }
    return joined, [Join((min(part.first.values()) + part.shift) / _SECOND, part.ahead) for part in parts[1:]]


def is_even(stream: Any) -> bool:
    """Whether the container's index shows that the stream's times neither jump nor go back."""
    times = [entry.timestamp for entry in stream.index_entries]
    largest = MAX_STEP / stream.time_base
    return all(0 <= later - earlier <= largest for earlier, later in pairwise(times))
