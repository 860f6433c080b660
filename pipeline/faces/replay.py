"""A clip's frames, as often as wanted: a face is followed first, and cropped when the whole of its way is known."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

KEEP_BYTES = 64 * 2**20
"""Frames up to this size are kept between the passes; longer clips are decoded again, in constant memory."""


class Replay:
    """Iterates over what ``read`` gives; reads again only when that was too much to keep."""

    def __init__(self, read: Callable[[], Iterator[Image]], frames: int = 0) -> None:
        """``frames`` is how many there are, where that is known: then what is too much is not even begun to be kept."""
        self._read, self._frames = read, frames
        self._kept: list[Image] | None = None
        self.size = (0, 0)
        """Height and width, when one was read."""

    def __iter__(self) -> Iterator[Image]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Image] | None = []
        seen = 0
        for frame in self._read():
            self.size = (frame.shape[0], frame.shape[1])
            seen += frame.nbytes
            if max(seen, self._frames * frame.nbytes) > KEEP_BYTES:
                kept = None
            if kept is not None:
                kept.append(frame)
            yield frame
        self._kept = kept
