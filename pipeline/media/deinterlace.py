"""Deinterlacing: the odd and even lines of an interlaced frame show two different moments."""

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import av
import av.filter

from pipeline.media.decode import TimedFrame, filtered

_shape = attrgetter("format.name", "width", "height", "colorspace", "color_range")


def deinterlaced(frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
    """The same frames, one for one. libav's bwdif deinterlaces the marked ones with the help of their neighbours.

    Frames before the first interlaced one, and progressive frames between interlaced ones, are not changed.
    """
    for _, group in groupby(frames, key=lambda timed: _shape(timed[1])):
        graph: Any = None
        waiting: deque[TimedFrame] = deque()
        for time, frame in group:
            if graph is None and not frame.interlaced_frame:
                yield time, frame
                continue
            graph = graph or _graph(frame)
            waiting.append((time, frame))
            graph.push(frame)
            yield from _pulled(graph, waiting)
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph, waiting)
            yield from waiting


def _graph(frame: Any) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base, name="in"
    )
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
    return graph


def _pulled(graph: Any, waiting: deque[TimedFrame]) -> Iterator[TimedFrame]:
    """Frames come out in the order in which they went in, a few later."""
    for frame in filtered(graph):
        time, original = waiting.popleft()
        frame.opaque = original.opaque
        yield time, frame
