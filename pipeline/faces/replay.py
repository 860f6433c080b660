"""A clip's frames, read several times: a face is tracked through the clip first, and cropped afterwards."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

KEEP_BYTES = 64 * 2**20  # frames up to this total size are kept in memory. Longer clips are decoded again


class Replay:
    """Iterates over the frames of ``read``, which is called again only when there are too many to keep."""

    def __init__(self, read: Callable[[], Iterator[Image]], frames: int = 0) -> None:
        """``frames`` is their number if it is known; then frames of a long clip are not kept at all."""
        self._read, self._frames = read, frames
        self._kept: list[Image] | None = None
        self.size = (0, 0)
        """Height and width, after the first frame."""

    def __iter__(self) -> Iterator[Image]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Image] | None = []
        for number, frame in enumerate(self._read(), 1):
            self.size = (frame.shape[0], frame.shape[1])
            if max(number, self._frames) * frame.nbytes > KEEP_BYTES:
                kept = None
            if kept is not None:
                kept.append(frame)
            yield frame
        self._kept = kept
