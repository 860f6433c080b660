"""The face alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.compositing.base import Painted
from pipeline.inference.preprocessing.base import Reference


@dataclass(frozen=True)
class Crop:
    """As `View`: frames as VG-net makes them."""

    side: int

    @property
    def size(self) -> tuple[int, int]:
        """As `View`."""
        return self.side, self.side

    def frames(self, painted: Iterable[Painted]) -> Iterator[NDArray[np.uint8]]:
        """As `View`."""
        for chunk in painted:
            yield from chunk.frames_THWC

    def points(self, points_T68x2: NDArray[np.float32], first: int, reference: Reference) -> NDArray[np.float32]:
        """As `View`."""
        return points_T68x2
