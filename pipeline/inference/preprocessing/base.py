"""What every preprocessing does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Example:
    """The picture a face is made from: RGB (128, 128, 3) and its 68 points (68, 2) in the picture's pixels."""

    image_HWC: NDArray[np.uint8]
    points_68x2: NDArray[np.float32]


class Preprocessing(Protocol):
    """The inputs of AT-net and VG-net, as their weights were trained with them, and the meaning of what they answer."""

    def example(self, image_HWC: NDArray[np.uint8]) -> Example | None:
        """The crop of the largest face of any RGB picture; None where no face is found."""

    def windows(self, samples_N: NDArray[np.int16], frames: int, stretch: int = 32) -> Iterator[NDArray[np.float32]]:
        """Speech windows of video frames in stretches (F, 28, 12) of at most `stretch`, from 16 kHz mono samples.

        `samples_N` may be a memory map: each stretch reads only its own samples.
        """

    def normalize(self, points_F68x2: NDArray[np.floating], example_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (F, 68, 2) of the face whose example's points are given, as normalised landmarks (F, 136)."""

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (136,) as coefficients (K,)."""

    def expand(self, example_L: NDArray[np.floating], coefficients_FK: NDArray[np.floating]) -> NDArray[np.float32]:
        """The normalised landmarks (F, 136) that AT-net means by its coefficients, for the face of the example."""

    def place(self, landmarks_FL: NDArray[np.floating], example_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (F, 136) back as pixels (F, 68, 2), where the example's face stands."""
