"""When to use the loudest channel instead of the mix: if channels cancel each other, or all but one are silent.

For a file, all of it decides (`single_channels`). For a stream each frame decides, by the same limits, from the sound
so far (`StreamChannel`).
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from pipeline.media.decode import TimedFrame
from pipeline.media.resample import downmix, linked, packed

_MIN_ADDED = 0.05  # share of the loudest channel's power that the others must add, so that the mix is used
_CANCELLED = 0.1  # channels cancel in a frame whose mix has less than this share of the loudest channel's power
_MAX_CANCELLED = 0.1  # share of the loudest channel's power that may be in such frames of a file
_PART = 0.02  # s of a stream in which channels are compared
_AUDIBLE = 0.001  # a part of a stream counts above this share of the loudest part's power


def single_channels(frames: Iterable[TimedFrame]) -> dict[str, int | None]:
    """The channel to use alone, counted from 0, in each layout; None for the mix.

    Reads all frames, except after a first one that is mono.
    """
    powers: dict[str, list[NDArray[np.float64]]] = {}
    for _, frame in packed(frames):
        if frame.layout.nb_channels == 1 and not powers:
            return {}
        values = _mix_and_channels(frame)
        powers.setdefault(frame.layout.name, []).append(np.einsum("cn,cn->c", values, values, dtype=np.float64))
    return {name: _single_channel(np.array(rows), mix_gains(name, len(rows[0]) - 1)) for name, rows in powers.items()}


def _mix_and_channels(frame: Any) -> NDArray[np.float32]:
    """Samples (1 + C, N) of PyAV's audio ``frame``: the mix of its C channels, then each channel."""
    channels = frame.layout.nb_channels
    values = frame.to_ndarray()
    values = values if frame.format.is_planar else values.reshape(-1, channels).T
    values = values.astype(np.float32) - (128 if values.dtype == np.uint8 else 0)
    return np.vstack([mix_gains(frame.layout.name, channels) @ values, values])


def _single_channel(powers_TC: NDArray[np.float64], gains_C: NDArray[np.float32]) -> int | None:
    """The channel to use alone, given the power of the mix and of each channel in each frame; None for the mix."""
    mix, *channels = powers_TC.sum(axis=0)
    loudest = int(np.argmax(channels))
    power_T = powers_TC[:, 1 + loudest]
    cancelled = power_T[powers_TC[:, 0] < _CANCELLED * power_T].sum()
    adds_little = mix < (gains_C[loudest] ** 2 + _MIN_ADDED) * channels[loudest]
    return loudest if adds_little or cancelled > _MAX_CANCELLED * power_T.sum() else None


@cache
def mix_gains(layout: str, channels: int) -> NDArray[np.float32]:
    """The gain (C,) of each channel in the mix; zeros for channels without a loudspeaker, such as ambisonic ones."""
    impulses = np.eye(channels, dtype=np.float32).reshape(1, -1) / 2
    try:
        graph = linked("flt", layout, 48000, [*downmix(channels), ("aresample", "ochl=mono:osf=s16")])
        frame = av.AudioFrame.from_ndarray(impulses, format="flt", layout=layout)
        frame.sample_rate = 48000
        graph.push(frame)
        return np.asarray(graph.pull().to_ndarray()[0] / np.float32(16384))
    except (av.error.FFmpegError, ValueError):
        return np.zeros(channels, np.float32)


class StreamChannel:
    """Chooses a channel for each frame of one stream. Call it with the frames in their order."""

    def __init__(self) -> None:
        self._powers_C: NDArray[np.float64] = np.zeros(0)  # of the mix and of each channel, summed so far
        self._highest = 0.0
        self._loudest = 0
        self._cancels = self._shared = False

    def __call__(self, frame: Any) -> int | None:
        """The channel of PyAV's audio ``frame`` to use alone, counted from 0; None for the mix."""
        channels = frame.layout.nb_channels
        if channels == 1 or not frame.samples:
            return None
        powers_TC = _powers(_mix_and_channels(frame), round(_PART * frame.sample_rate))
        if len(self._powers_C) != 1 + channels:
            self._powers_C = np.zeros(1 + channels)
        self._powers_C += powers_TC.sum(axis=0)
        sums_C = self._powers_C[1:]
        if self._loudest >= channels or sums_C[self._loudest] <= sums_C.max() / 2:  # another is twice as loud
            self._loudest = int(sums_C.argmax())
        most_T = powers_TC[:, 1:].max(axis=1)
        self._highest = max(self._highest, float(most_T.max()))
        audible_T = most_T > _AUDIBLE * self._highest
        cancelled = bool((audible_T & (powers_TC[:, 0] < _CANCELLED * most_T)).any())
        lost = bool((audible_T & (powers_TC[:, 1 + self._loudest] < _CANCELLED * most_T)).any())
        self._cancels |= cancelled
        gain = mix_gains(frame.layout.name, channels)[self._loudest]
        adds_little = self._powers_C[0] < (gain**2 + _MIN_ADDED) * sums_C[self._loudest]
        prefers_single = self._cancels or bool(adds_little)
        self._shared |= prefers_single and lost  # another channel has speech that the loudest one lacks
        if cancelled and lost:
            return int(powers_TC[:, 1:].sum(axis=0).argmax())
        return self._loudest if cancelled or (prefers_single and not self._shared) else None


def _powers(values_CN: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """The power (T, C) of each row in parts of ``length`` samples; the last part takes the rest."""
    starts = np.arange(0, max(1, values_CN.shape[1] // length) * length, length)
    return np.add.reduceat(np.square(values_CN, dtype=np.float64), starts, axis=1).T
