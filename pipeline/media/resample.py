"""Sound of any rate, format and layout as mono samples, from one channel or the mix (`pipeline.media.channels`).

One or two channels are averaged. More are first mixed to two, as players do.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

from pipeline.media.decode import TimedFrame, filtered

Samples = NDArray[np.int16]
Filter = tuple[str, str]
"""The name and arguments of a libav filter."""

_format = attrgetter("format.name", "layout.name", "sample_rate")  # of a frame
_MAX_GAP = 0.03  # s: beyond this difference from the time stamps, silence is inserted or samples are dropped


def resampled(
    frames: Iterator[TimedFrame], rate: int, origin: Fraction, single_channel: Callable[[Any], int | None]
) -> Iterator[Samples]:
    """Mono blocks at ``rate`` Hz whose first sample is at ``origin`` seconds.

    ``single_channel`` is called with each frame in turn. It returns the number of the only channel to use, or None for
    the mix. A new filter graph starts where the format or the channel changes.
    """
    done = 0
    timed_frames = _end_trimmed(packed(frames))
    for (_, channel), group in groupby(timed_frames, key=lambda timed: (_format(timed[1]), single_channel(timed[1]))):
        graph: Any = None
        for time, frame in chain(group, [(origin, None)]):  # None ends the graph's input
            if frame is not None:
                graph = graph or _graph(frame, rate, done, channel)
                frame.time_base = Fraction(1, frame.sample_rate)
                frame.pts = round((time - origin) * frame.sample_rate)
            graph.push(frame)
            for converted in filtered(graph):
                block = converted.to_ndarray().reshape(-1).copy()
                done += len(block)
                yield block


def packed(frames: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Frames of eight or more planes become packed: the arrays that PyAV makes of those show foreign memory."""
    packers: dict[tuple[str, str, int], av.AudioResampler] = {}
    for time, frame in frames:
        if frame.format.is_planar and frame.layout.nb_channels >= 8:
            kind = _format(frame)
            packers[kind] = packers.get(kind) or av.AudioResampler(format="flt")
            (frame,) = packers[kind].resample(frame)
        yield time, frame


def linked(sample_format: str, layout: str, rate: int, filters: list[Filter]) -> Any:
    """A configured libav graph of ``filters`` in a row, from a buffer of sound in this format."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format=sample_format, layout=layout, time_base=Fraction(1, rate))
    nodes = [source, *(graph.add(name, arguments) for name, arguments in filters), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def downmix(channels: int) -> list[Filter]:
    """Filters that mix to two channels as players do. libav's own mix to mono gets quieter with every channel."""
    return [("aresample", "ochl=stereo:osf=fltp")] if channels > 2 else []


def _end_trimmed(frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
    """Cut the encoder's padding from the last frame; the container's duration of the frame tells how much it is."""
    held: TimedFrame | None = None
    for timed in frames:
        if held:
            yield held
        held = timed
    if held:
        yield held[0], _trimmed(held[1])


def _trimmed(frame: Any) -> Any:
    unit = Fraction(frame.time_base) * frame.sample_rate  # the container rounds durations to so many samples
    length = round(frame.duration * unit) if frame.duration else frame.samples
    if length >= frame.samples - unit:
        return frame
    columns = length if frame.format.is_planar else length * len(frame.layout.channels)
    kept = np.ascontiguousarray(frame.to_ndarray()[:, :columns])
    short = av.AudioFrame.from_ndarray(kept, format=frame.format.name, layout=frame.layout.name)
    short.sample_rate = frame.sample_rate
    return short


def _graph(frame: Any, rate: int, first_sample: int, channel: int | None) -> Any:
    """libav's resampler. It follows the time stamps (``async``) and starts at output sample ``first_sample``."""
    first = round(Fraction(first_sample * frame.sample_rate, rate))  # in input samples
    resampling = f"{rate}:async=1:min_comp=0.00001:min_hard_comp={_MAX_GAP}:first_pts={first}:ochl=mono:osf=s16"
    mixing = downmix(frame.layout.nb_channels) if channel is None else [("pan", f"mono|c0=c{channel}")]
    return linked(*_format(frame), [*mixing, ("aresample", resampling)])
