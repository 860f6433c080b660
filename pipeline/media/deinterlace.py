"""Pictures of one moment each, from those of interlaced video, whose odd and even lines are of two."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import av
import av.error
import av.filter

from pipeline.media.decode import TimedFrame


def deinterlaced(frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
    """The same frames, one for one; those marked as interlaced go through libav's bwdif, which takes their
    neighbours into account.

    Nothing happens to a video up to its first interlaced frame, nor to frames between that are not interlaced.
    """
    graph: Any = None
    shape: tuple[Any, ...] = ()
    waiting: deque[TimedFrame] = deque()
    for time, frame in frames:
        if graph is not None and shape != _shape(frame):
            yield from _flushed(graph, waiting)
            graph = None
        if graph is None and not frame.interlaced_frame:
            yield time, frame
            continue
        if graph is None:
            graph, shape = _graph(frame), _shape(frame)
        waiting.append((time, frame))
        graph.push(frame)
        yield from _pulled(graph, waiting)
    if graph is not None:
        yield from _flushed(graph, waiting)


def _shape(frame: Any) -> tuple[Any, ...]:
    return frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range


def _graph(frame: Any) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base, name="in"
    )
    graph.link_nodes(
        source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
    ).configure()
    return graph


def _pulled(graph: Any, waiting: deque[TimedFrame]) -> Iterator[TimedFrame]:
    """Frames come out in the order they went in, a few later."""
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, av.error.EOFError):
            return
        time, original = waiting.popleft()
        frame.opaque = original.opaque
        yield time, frame


def _flushed(graph: Any, waiting: deque[TimedFrame]) -> Iterator[TimedFrame]:
    graph.push(None)
    yield from _pulled(graph, waiting)
    yield from waiting
    waiting.clear()
