"""What every way to show a face does."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.preprocessing.base import Reference


class Blinks(NamedTuple):
    """The lids of T frames."""

    closed_T: NDArray[np.float64]
    """How far they are closed, 0 to 1."""
    skin: float
    """How much skin above the eyes is drawn down (`compositing.lids`)."""


class Painted(NamedTuple):
    """A chunk of T generated frames."""

    frames_THWC: NDArray[np.uint8]
    """RGB (T, size, size, 3)."""
    attention_THW: NDArray[np.float32]
    """Where pixels were painted, 0 to 1."""
    colour_THWC: NDArray[np.uint8]
    """The paint, RGB (T, size, size, 3)."""
    landmarks_TL: NDArray[np.float32]
    """What was asked for: normalised landmarks (T, 136)."""
    reference: Reference
    """What they were painted over."""
    blinks: Blinks | None = None
    """Lids that were drawn into the frames, and not painted by VG-net."""


class View(Protocol):
    """One for all videos of a picture; several threads may use it at once."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its frames, both even."""

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """RGB (height, width, 3), in order from a video's first."""

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """Points in pixels of the crop, of the frames from number ``first`` on, in pixels of the view's frames."""
