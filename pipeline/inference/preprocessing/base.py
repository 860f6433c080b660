"""What every preprocessing does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.faces.select import Choice
from pipeline.media import Damage
from pipeline.runtime.paths import StrPath
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK


@dataclass(frozen=True)
class Reference:
    """The picture a face is made from: RGB (size, size, 3) and its 68 points (68, 2) in the picture's pixels."""

    image_HWC: NDArray[np.uint8]
    points_68x2: NDArray[np.float32]
    choice: Choice | None = None
    """The face in the picture it was cropped from; None where it is a frame of a clip."""
    source_68x2: NDArray[np.float32] | None = None
    """The points in the pixels of the picture it was cropped from, where there is one."""


class Preprocessing(Protocol):
    """The inputs of AT-net and VG-net, as their weights were trained with them, and the meaning of what they answer."""

    def reference(self, image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> Reference | None:
        """The crop of the face that is meant in any RGB picture; None where no face is found."""

    def hear(self, path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
        """The whole sound of a file as mono samples at 16 kHz, in blocks; `damage` counts what cannot be decoded.

        Raises MediaError when the file is unreadable or has no sound.
        """

    def windows(self, sound: Sound, frames: int | None = None, chunk: int = CHUNK) -> Iterator[NDArray[np.float32]]:
        """Speech windows of the video frames that the sound lasts, or of `frames`, in chunks (T, 28, C) of at most
        `chunk`, each as soon as it is heard.
        """

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Points (T, 68, 2) of the face whose reference's points are given, as normalised landmarks (T, 136)."""

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (136,) as coefficients (K,)."""

    def expand(self, reference_L: NDArray[np.floating], coefficients_TK: NDArray[np.floating]) -> NDArray[np.float32]:
        """The normalised landmarks (T, 136) that AT-net means by its coefficients, for the face of the reference."""

    def seen_beside_speech(self, reference_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """The reference's normalised landmarks (136,) as VG-net sees them beside those that AT-net means."""

    def place(self, landmarks_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalised landmarks (T, 136) back as pixels (T, 68, 2), where the reference's face stands."""
