"""Landmarks from another video, to animate a still picture without AT-net."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.crop import CROP
from pipeline.inference.painter import chunks
from pipeline.inference.tracked import track
from pipeline.landmarks.shape import mouth_opening
from pipeline.media import read_frames
from pipeline.preprocessing.base import Preprocessing, Reference


@dataclass(frozen=True)
class Drive:
    """The movement of a face in a video."""

    points_T68x2: NDArray[np.float32]
    """In pixels of the crop."""

    @classmethod
    def of(cls, path: Path, rule: FaceRule) -> "Drive":
        """Track the face. Raises PipelineError if the video does not show one frontal face throughout."""
        return cls(track(path, read_frames(path), rule, CROP).crop_points_T68x2)

    def landmarks(
        self, reference: Reference, preprocessing: Preprocessing, strength: float
    ) -> Iterator[NDArray[np.float32]]:
        """Yield normalised landmarks (T, 136) of the reference's face in chunks: its own plus the video's movement.

        The movement starts at the video's frame whose mouth is as open as the reference's, and is multiplied by
        ``strength``.
        """
        opening = mouth_opening(reference.points_68x2[None])[0]
        start = self.points_T68x2[np.argmin(np.abs(mouth_opening(self.points_T68x2) - opening))]
        video_TL = preprocessing.normalize(self.points_T68x2, start)
        start_L = preprocessing.normalize(start[None], start)[0]
        own_L = preprocessing.normalize(reference.points_68x2[None], reference.points_68x2)[0]
        return chunks((own_L + strength * (video_TL - start_L)).astype(np.float32))
