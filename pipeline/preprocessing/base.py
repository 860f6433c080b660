"""The interface of all preprocessings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.faces.select import ChosenFace
from pipeline.media import Damage
from pipeline.runtime.paths import StrPath
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK


@dataclass(frozen=True)
class Reference:
    """The picture that VG-net animates: RGB (size, size, 3), and its 68 points (68, 2) in the picture's pixels."""

    image_HWC: NDArray[np.uint8]
    points_68x2: NDArray[np.float32]
    choice: ChosenFace | None = None
    """The detected face that it was cropped from; None for a frame of a prepared clip."""
    source_68x2: NDArray[np.float32] | None = None
    """The points in pixels of the picture that it was cropped from."""


class Preprocessing(Protocol):
    """Computes the inputs of AT-net and VG-net, and interprets AT-net's output."""

    def reference(self, image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> Reference | None:
        """Crop the face that ``face`` selects from an RGB picture; None if there is no such face."""

    def read_speech(self, path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
        """Yield all sound of a file in blocks of mono samples at 16 kHz. ``damage`` counts undecodable parts.

        Raises MediaError if the file is unreadable or has no sound.
        """

    def windows(self, sound: Sound, frames: int | None = None, chunk: int = CHUNK) -> Iterator[NDArray[np.float32]]:
        """Yield the speech windows of all video frames of the sound, or of the first `frames`, as they become known.

        A chunk is (T, 28, C) with at most `chunk` windows.
        """

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Convert a face's points (T, 68, 2) to normalised landmarks (T, 136). ``reference_68x2`` is the same face."""

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert normalised landmarks (136,) to coefficients (K,)."""

    def expand(self, reference_L: NDArray[np.floating], coefficients_TK: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert AT-net's coefficients (T, K) to normalised landmarks (T, 136) of the reference's face."""

    def reference_for_speech(self, reference_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the reference's landmarks (136,) in the form that VG-net takes together with AT-net's landmarks."""

    def place(self, landmarks_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert normalised landmarks (T, 136) to pixels (T, 68, 2) at the position of the reference's face."""
