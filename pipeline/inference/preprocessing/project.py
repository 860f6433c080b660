"""The preprocessing of models trained by this project's stages."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import align
from pipeline.faces.crop import crop_face, to_crop
from pipeline.faces.select import largest_face
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.preprocessing.base import Example
from pipeline.landmarks.pca import LandmarkModel
from pipeline.speech.streaming import stream_windows


@dataclass(frozen=True)
class ProjectPreprocessing:
    """As `Preprocessing`; `mfcc_window` is the seconds of speech behind an MFCC row, as in training."""

    landmarks: LandmarkModel
    mfcc_window: float

    def example(self, image_HWC: NDArray[np.uint8]) -> Example | None:
        """As `Preprocessing`."""
        box = largest_face(image_HWC)
        if box is None:
            return None
        points = predict_landmarks([image_HWC], [box])[0]
        transform = align(points[None], per_frame=True, smoothing=0.0)
        return Example(crop_face(image_HWC, transform[0]), to_crop(points[None], transform)[0])

    def windows(self, samples_N: NDArray[np.int16], frames: int, stretch: int = 32) -> Iterator[NDArray[np.float32]]:
        """As `Preprocessing`."""
        return stream_windows(samples_N, frames, self.mfcc_window, stretch)

    def normalize(self, points_F68x2: NDArray[np.floating], example_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`; whatever the example."""
        return self.landmarks.normalize(points_F68x2)

    def project(self, landmarks_L: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`."""
        return self.landmarks.project(landmarks_L)

    def expand(self, example_L: NDArray[np.floating], coefficients_FK: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`."""
        return self.landmarks.move(example_L, self.landmarks.project(example_L), coefficients_FK)

    def place(self, landmarks_FL: NDArray[np.floating], example_68x2: NDArray[np.floating]) -> NDArray[np.float32]:
        """As `Preprocessing`."""
        return self.landmarks.place(landmarks_FL, example_68x2)
