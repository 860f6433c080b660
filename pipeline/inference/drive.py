"""The landmarks of another video, for VG-net alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule
from pipeline.faces.crop import CROP
from pipeline.inference.preprocessing.base import Preprocessing, Reference
from pipeline.inference.talking_head import chunks
from pipeline.inference.tracked import track
from pipeline.landmarks.mouth import mouth_opening
from pipeline.media import read_frames


@dataclass(frozen=True)
class Drive:
    """How the face of a video moves."""

    points_T68x2: NDArray[np.float32]
    """In pixels of the crop."""

    @classmethod
    def of(cls, path: Path, rule: FaceRule) -> "Drive":
        """Raises PipelineError where the video does not show one frontal face throughout."""
        return cls(track(path, read_frames(path), rule, CROP).crop_points_T68x2)

    def landmarks(
        self, reference: Reference, preprocessing: Preprocessing, strength: float
    ) -> Iterator[NDArray[np.float32]]:
        """Normalised landmarks (T, 136), in chunks, of the reference's face that moves as the video's: as far from
        itself as that one is, times ``strength``, from its frame whose mouth is as far open as the reference's.
        """
        own = mouth_opening(reference.points_68x2[None])[0]
        like = self.points_T68x2[np.argmin(np.abs(mouth_opening(self.points_T68x2) - own))]
        theirs_TL = preprocessing.normalize(self.points_T68x2, like)
        like_L = preprocessing.normalize(like[None], like)[0]
        own_L = preprocessing.normalize(reference.points_68x2[None], reference.points_68x2)[0]
        return chunks((own_L + strength * (theirs_TL - like_L)).astype(np.float32))
