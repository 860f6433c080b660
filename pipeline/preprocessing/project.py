"""The preprocessing of models trained by this project's stages."""

# ruff: noqa: D102  # `Preprocessing` documents the methods
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import WhichFace
from pipeline.faces.align import align
from pipeline.faces.crop import CROP, CropGeometry, crop_face, to_crop
from pipeline.faces.select import choose_face
from pipeline.landmarks.pca import LandmarkModel
from pipeline.media import Damage
from pipeline.media.read import read_audio_blocks
from pipeline.preprocessing.base import Preprocessing, Reference
from pipeline.runtime.clock import RATE
from pipeline.runtime.paths import StrPath
from pipeline.speech.features import SpeechFeatures
from pipeline.speech.sound import Sound
from pipeline.speech.streaming import CHUNK, stream_windows


@dataclass(frozen=True)
class ProjectPreprocessing(Preprocessing):
    """The preprocessing with the landmark model, features and crop of a bundle."""

    landmarks: LandmarkModel
    speech: SpeechFeatures
    crop: CropGeometry = CROP

    def reference(self, image_HWC: NDArray[np.uint8], face: WhichFace = "prominent") -> Reference | None:
        choice = choose_face(image_HWC, face)
        if choice is None:
            return None
        points = choice.points_68x2[None]
        transform = align(points, per_frame=True, smoothing=0.0, crop=self.crop)
        crop_HWC = crop_face(image_HWC, transform[0], self.crop.size)
        return Reference(crop_HWC, to_crop(points, transform)[0], choice, choice.points_68x2)

    def read_speech(self, path: StrPath, damage: Damage) -> Iterator[NDArray[np.int16]]:
        return read_audio_blocks(path, rate=RATE, by_itself=True, damage=damage)

    def windows(self, sound: Sound, frames: int | None = None, chunk: int = CHUNK) -> Iterator[NDArray[np.float32]]:
        return stream_windows(sound, self.speech, frames, chunk)

    def normalize(
        self, points_T68x2: NDArray[np.floating], reference_68x2: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        return self.landmarks.normalize(points_T68x2)

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        return self.landmarks.project(landmarks_L)

    def expand(self, reference_L: NDArray[np.floating], coefficients_TK: NDArray[np.floating]) -> NDArray[np.float32]:
        return self.landmarks.move(reference_L, self.landmarks.project(reference_L), coefficients_TK)

    def reference_for_speech(self, reference_L: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray(reference_L, np.float32)

    def place(self, landmarks_TL: NDArray[np.floating], reference_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        return self.landmarks.place(landmarks_TL, reference_68x2)
