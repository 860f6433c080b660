"""Sound of any rate, format and channels as mono.

One and two channels are averaged; more are first mixed to two, as players do. Where that would lose what is said, since
channels cancel each other or all but one are silent, the loudest channel is heard alone.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from itertools import groupby
from typing import Any

import av
import av.error
import av.filter
import numpy as np
from numpy.typing import NDArray

from pipeline.media.decode import TimedFrame

Samples = NDArray[np.int16]
_Filter = tuple[str, str]  # libav's name and arguments

_MAX_GAP = 0.03  # s by which sound may leave its time stamps before silence is put in or samples are dropped
LITTLE = 0.05
"""Share of the loudest channel's power that others must add to the mix for it to be heard."""
CANCELLED = 0.1
"""Power of the mix, of the loudest channel's, in a frame whose channels cancel each other."""
_SOME = 0.1  # share of the loudest channel's power that may be in such frames


def channels_alone(timed: Iterable[TimedFrame]) -> dict[str, int]:
    """For each layout in which one channel is to be heard alone, which one, counted from 0.

    Reads all frames, but none behind a first that is mono.
    """
    powers: dict[str, list[NDArray[np.float64]]] = {}
    for _, frame in _safe(timed):
        if frame.layout.nb_channels == 1 and not powers:
            return {}
        heard = mix_and_channels(frame)
        powers.setdefault(frame.layout.name, []).append(np.einsum("cn,cn->c", heard, heard, dtype=np.float64))
    chosen = {
        layout: _loudest(np.array(frames), mix_gains(layout, len(frames[0]) - 1)) for layout, frames in powers.items()
    }
    return {layout: channel for layout, channel in chosen.items() if channel is not None}


def _safe(timed: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
    """Frames of eight planes or more as packed ones: the array that PyAV gives of those is memory of others."""
    packers: dict[tuple[str, str, int], av.AudioResampler] = {}
    for time, frame in timed:
        if frame.format.is_planar and frame.layout.nb_channels >= 8:
            kind = _format(frame)
            packers[kind] = packers.get(kind) or av.AudioResampler(format="flt")
            (frame,) = packers[kind].resample(frame)
        yield time, frame


def mix_and_channels(frame: Any) -> NDArray[np.float32]:
    """Samples (1 + C, N) of PyAV's audio ``frame``: of the mix of its channels, and of each of the C channels."""
    channels = frame.layout.nb_channels
    values = frame.to_ndarray()
    values = values if frame.format.is_planar else values.reshape(-1, channels).T
    values = values.astype(np.float32) - (128 if values.dtype == np.uint8 else 0)
    return np.vstack([mix_gains(frame.layout.name, channels) @ values, values])


def _loudest(powers_TC: NDArray[np.float64], gains_C: NDArray[np.float32]) -> int | None:
    """The channel to hear alone, given the power in each frame of the mix and of all channels."""
    mix, *channels = powers_TC.sum(axis=0)
    loudest = int(np.argmax(channels))
    alone_T = powers_TC[:, 1 + loudest]
    cancelled = alone_T[powers_TC[:, 0] < CANCELLED * alone_T].sum()
    return (
        loudest
        if mix < (gains_C[loudest] ** 2 + LITTLE) * channels[loudest] or cancelled > _SOME * alone_T.sum()
        else None
    )


@cache
def mix_gains(layout: str, channels: int) -> NDArray[np.float32]:
    """How loud each channel is in the mix; zeros where channels belong to no loudspeaker, such as ambisonic ones."""
    one_by_one = np.eye(channels, dtype=np.float32).reshape(1, -1) / 2
    try:
        graph = _linked("flt", layout, 48000, [*_mixing(channels), ("aresample", "ochl=mono:osf=s16")])
        frame = av.AudioFrame.from_ndarray(one_by_one, format="flt", layout=layout)
        frame.sample_rate = 48000
        graph.push(frame)
        gains: NDArray[np.float32] = graph.pull().to_ndarray()[0] / np.float32(16384)
    except (av.error.FFmpegError, ValueError):
        return np.zeros(channels, np.float32)
    return gains


def resampled(
    frames: Iterator[TimedFrame], rate: int, origin: Fraction, alone: Callable[[Any], int | None]
) -> Iterator[Samples]:
    """Mono blocks at ``rate`` Hz whose first sample is at ``origin``, s. ``alone``, called with each frame in turn,
    gives the channel to hear alone, counted from 0, or None for the mix.

    A stream that changes its format, or the channel, gets a new filter there.
    """
    done = 0
    timed_frames = _end_trimmed(_safe(frames))
    for (_, channel), group in groupby(timed_frames, key=lambda timed: (_format(timed[1]), alone(timed[1]))):
        graph: Any = None
        for time, frame in group:
            graph = graph or _graph(frame, rate, done, channel)
            frame.time_base = Fraction(1, frame.sample_rate)
            frame.pts = round((time - origin) * frame.sample_rate)
            graph.push(frame)
            for block in _pulled(graph):
                done += len(block)
                yield block
        graph.push(None)
        for block in _pulled(graph):
            done += len(block)
            yield block


def _end_trimmed(frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
    """Cut from the last frame what the encoder added to fill its block; the container tells by the frame's duration."""
    held: TimedFrame | None = None
    for timed in frames:
        if held:
            yield held
        held = timed
    if held:
        yield held[0], _trimmed(held[1])


def _trimmed(frame: Any) -> Any:
    unit = Fraction(frame.time_base) * frame.sample_rate  # samples by which the container rounds durations
    heard = round(frame.duration * unit) if frame.duration else frame.samples
    if heard >= frame.samples - unit:
        return frame
    columns = heard if frame.format.is_planar else heard * len(frame.layout.channels)
    kept = np.ascontiguousarray(frame.to_ndarray()[:, :columns])
    short = av.AudioFrame.from_ndarray(kept, format=frame.format.name, layout=frame.layout.name)
    short.sample_rate = frame.sample_rate
    return short


def _format(frame: Any) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _graph(frame: Any, rate: int, first_sample: int, channel: int | None) -> Any:
    """libav's resampler: keeps sound on its time stamps (``async``) and starts at a given sample of what it gives."""
    first = round(Fraction(first_sample * frame.sample_rate, rate))  # in samples of what it gets
    resampling = f"{rate}:async=1:min_comp=0.00001:min_hard_comp={_MAX_GAP}:first_pts={first}:ochl=mono:osf=s16"
    mixing = _mixing(frame.layout.nb_channels) if channel is None else [("pan", f"mono|c0=c{channel}")]
    return _linked(frame.format.name, frame.layout.name, frame.sample_rate, [*mixing, ("aresample", resampling)])


def _mixing(channels: int) -> list[_Filter]:
    """To two channels as players have it: the resampler's own way to mono makes each the quieter the more there are."""
    return [("aresample", "ochl=stereo:osf=fltp")] if channels > 2 else []


def _linked(sample_format: str, layout: str, rate: int, filters: list[_Filter]) -> Any:
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format=sample_format, layout=layout, time_base=Fraction(1, rate))
    chain = [source, *(graph.add(name, arguments) for name, arguments in filters), graph.add("abuffersink")]
    graph.link_nodes(*chain).configure()
    return graph


def _pulled(graph: Any) -> Iterator[Samples]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, av.error.EOFError):
            return
        yield frame.to_ndarray().reshape(-1).copy()
