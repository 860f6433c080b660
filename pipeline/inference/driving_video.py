"""Landmarks from another video, to animate a still picture without AT-net."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.painter import chunks
from pipeline.landmarks.shape import mouth_opening
from pipeline.preprocessing.base import Preprocessing, Reference


def driven_landmarks(
    video_T68x2: NDArray[np.float32], reference: Reference, preprocessing: Preprocessing, strength: float
) -> Iterator[NDArray[np.float32]]:
    """Yield normalised landmarks (T, 136) of the reference's face in chunks: its own plus the movement of a video.

    ``video_T68x2`` are the points of the video's face in pixels of a crop. The movement starts at the frame whose mouth
    is as open as the reference's, and is multiplied by ``strength``.
    """
    opening = mouth_opening(reference.points_68x2[None])[0]
    start = video_T68x2[np.argmin(np.abs(mouth_opening(video_T68x2) - opening))]
    shift_TL = preprocessing.normalize(video_T68x2, start) - preprocessing.normalize(start[None], start)[0]
    own_L = preprocessing.normalize(reference.points_68x2[None], reference.points_68x2)[0]
    return chunks((own_L + strength * shift_TL).astype(np.float32))
