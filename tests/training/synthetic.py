"""Clips drawn by a formula: a face of one colour whose mouth opens as its speech says. Learnt in seconds."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bundles.location import pretrained_folder
from pipeline.landmarks.pca import LandmarkModel
from pipeline.landmarks.points import mirror_points
from pipeline.training.data import StoreSource


class DrawnClips(StoreSource):
    """A source of `clips` clips of `frames` frames; the mouth's opening is a smooth curve in [0, 1] per clip."""

    variants = 0

    def __init__(self, clips: int = 4, frames: int = 24, seed: int = 0, size: int = 128) -> None:
        random = np.random.default_rng(seed)
        time_T = np.arange(frames)
        self.lengths = [frames] * clips
        self.weights: dict[tuple[int, ...], float] = {}
        self.digest = repr((clips, frames, seed, size))
        self.size = size
        self.model = LandmarkModel.load(pretrained_folder() / "landmarks")
        self.colours = random.integers(80, 220, (clips, 3))
        self.openings = [
            0.5 + 0.5 * np.sin(time_T * random.uniform(0.3, 0.8) + random.uniform(0, 6)) for _ in range(clips)
        ]

    def pictures(self, clip: int, frames: Sequence[int]) -> NDArray[np.uint8]:
        scale = self.size // 128
        made = np.full((len(frames), self.size, self.size, 3), self.colours[clip], np.uint8)
        for picture, frame in zip(made, frames, strict=True):
            opening = scale * round(2 + 14 * float(self.openings[clip][frame]))
            cv2.ellipse(picture, (64 * scale, 90 * scale), (20 * scale, opening), 0, 0, 360, (40, 0, 0), -1)
        return made

    def landmarks(self, clip: int, mirrored: bool = False) -> NDArray[np.float32]:
        landmarks_T68x2 = np.zeros((self.lengths[clip], 68, 2), np.float32)
        landmarks_T68x2[:, :, 0] = np.linspace(-1, 1, 68)
        landmarks_T68x2[:, 48:58, 1] = -0.1 * self.openings[clip][:, None]
        landmarks_T68x2[:, 58:, 1] = 0.1 * self.openings[clip][:, None]
        landmarks = mirror_points(landmarks_T68x2) if mirrored else landmarks_T68x2
        return landmarks.reshape(-1, 136).astype(np.float32)

    def coefficients(self, clip: int) -> NDArray[np.float32]:
        opening_T = self.openings[clip]
        return np.stack([opening_T, 1 - opening_T, 0 * opening_T], axis=1).astype(np.float32)

    def windows(self, clip: int) -> NDArray[np.float32]:
        windows_TRC = np.zeros((self.lengths[clip], 28, 12), np.float32)
        windows_TRC += 5 * np.linspace(-1, 1, 12, dtype=np.float32) * self.openings[clip][:, None, None]
        return windows_TRC.astype(np.float32)

    def variant(
        self, clip: int, number: int, start: int, frames: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Louder the higher the number; nothing else changes."""
        span = slice(start, start + frames)
        return self.windows(clip)[span] * (1 + number), self.coefficients(clip)[span]
