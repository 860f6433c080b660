"""Painted frames, the interface of all views, and the simplest view."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.preprocessing.base import Reference


class Painted(NamedTuple):
    """A chunk of T generated frames."""

    frames_THWC: NDArray[np.uint8]  # RGB (T, size, size, 3)
    attention_THW: NDArray[np.float32]  # where VG-net painted, 0 to 1
    colour_THWC: NDArray[np.uint8]  # what VG-net painted, RGB (T, size, size, 3)
    points_T68x2: NDArray[np.float32]  # the face that the frames were painted for, in pixels of the crop
    reference: Reference  # the picture that the frames were painted over
    moving_THW: NDArray[np.float32] | None = None  # how far the face moves with the points, 0 to 1; None: everywhere
    closed_T: NDArray[np.float64] | None = None  # how far lids that were drawn into the frames are closed, 0 to 1
    skin: float = 0.0  # how much skin above the eyes was drawn down (`compositing.lids`)


class View(Protocol):
    """What the frames of one picture's videos show. Several threads may share a view."""

    size: tuple[int, int]
    """Width and height of its frames, both even."""

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames, RGB (height, width, 3), of a video from its first chunk on."""

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """Convert points from pixels of the crop to pixels of the view's frames, from frame number ``first`` on."""


class Crop:
    """A `View` of the face alone, as VG-net paints it."""

    def __init__(self, side: int) -> None:
        self.size = side, side

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """Implements `View`."""
        for chunk in painted:
            yield from chunk.frames_THWC

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """Implements `View`."""
        return points_T68x2
