"""Which channel of a stream to hear alone, where nobody knows yet what will come.

A file is heard twice: all of it decides how its channels become one (`mono.channels_alone`). A stream decides with each
frame, by the same limits, from what it has brought so far. It gives what the file gives where the channels stay as they
begin. Else it changes over with the first frame that would be lost.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.media.mono import CANCELLED, LITTLE, mix_and_channels, mix_gains

_PART = 0.02  # s of which the channels are compared
_AUDIBLE = 0.001  # of the loudest part's power so far, that a part needs to count


class StreamChannel:
    """Called with the frames of one stream in their order."""

    def __init__(self) -> None:
        self._powers_C: NDArray[np.float64] = np.zeros(0)  # of the mix and of all channels, summed so far
        self._highest = 0.0
        self._loudest = 0
        self._cancels = self._shared = False

    def __call__(self, frame: Any) -> int | None:
        """The channel of PyAV's audio ``frame`` to hear alone, counted from 0; None for the mix of all."""
        channels = frame.layout.nb_channels
        if channels == 1 or not frame.samples:
            return None
        powers_TC = _powers(mix_and_channels(frame), round(_PART * frame.sample_rate))
        if len(self._powers_C) != 1 + channels:
            self._powers_C = np.zeros(1 + channels)
        self._powers_C += powers_TC.sum(axis=0)
        self._loudest = self._loudest_so_far()
        most_T = powers_TC[:, 1:].max(axis=1)
        self._highest = max(self._highest, float(most_T.max()))
        audible_T = most_T > _AUDIBLE * self._highest
        cancelled = bool((audible_T & (powers_TC[:, 0] < CANCELLED * most_T)).any())
        lost = bool((audible_T & (powers_TC[:, 1 + self._loudest] < CANCELLED * most_T)).any())
        self._cancels |= cancelled
        gain = mix_gains(frame.layout.name, channels)[self._loudest]
        mix, loudest = self._powers_C[[0, 1 + self._loudest]]
        may_be_alone = self._cancels or bool(mix < (gain**2 + LITTLE) * loudest)
        self._shared |= may_be_alone and lost  # another channel says what the loudest one does not
        if cancelled and lost:
            return int(powers_TC[:, 1:].sum(axis=0).argmax())
        return self._loudest if cancelled or (may_be_alone and not self._shared) else None

    def _loudest_so_far(self) -> int:
        """Stays as it is while no other channel is twice as loud."""
        channels = self._powers_C[1:]
        now = int(channels.argmax())
        kept = self._loudest < len(channels) and channels[self._loudest] > channels[now] / 2
        return self._loudest if kept else now


def _powers(heard_CN: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """Power of each row in parts of ``length`` samples; what is left over belongs to the last part."""
    starts = np.arange(0, max(1, heard_CN.shape[1] // length) * length, length)
    return np.add.reduceat(np.square(heard_CN, dtype=np.float64), starts, axis=1).T
