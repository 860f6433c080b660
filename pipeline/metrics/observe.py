"""What metrics are computed from: the features of a clip's video and of its sound."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE, rescale
from pipeline.faces.detect import Box, detect_faces, levels_above
from pipeline.faces.identity import face_descriptor
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.runtime.clock import SAMPLES_PER_FRAME

SMALLEST_FACE = 40.0
"""Side in pixels of the smallest box to search for in a 128x128 crop."""
USUAL_FACE = 83.0
"""Side in pixels that a box in a 128x128 crop usually exceeds; 90 is typical. Only if no such box is found, smaller
faces are searched for too. The result is the same as that of the whole search, in a third of the time."""
IDENTITY_EVERY = 50
"""Frames per face descriptor. Describing a frame takes as long as measuring ten frames otherwise."""


@dataclass(frozen=True)
class VideoFeatures:
    """T crops of one video, RGB uint8 (T, size, size, 3), and what dlib finds in them."""

    frames_THWC: NDArray[np.uint8]
    points_T68x2: NDArray[np.float32]
    """In pixels of a 128x128 face for any ``size``; NaN without a face."""
    identity_Nx128: NDArray[np.float32]
    """Face descriptors of some evenly spread frames; NaN without a face."""
    drawn_T68x2: NDArray[np.float32] | None = None
    """The points that AT-net predicted, in the same pixels; None if it predicted none."""
    coefficients_TK: NDArray[np.float32] | None = None
    """AT-net's coefficients, or those of the real landmarks; None if there are none."""
    shown_THW: NDArray[np.bool_] | None = None
    """Which pixels of the crops the video shows; None for all."""
    steady_T68x2: NDArray[np.float32] | None = None
    """The points in crops that follow this video's own face; None if `points_T68x2` are in such crops."""

    @property
    def shapes_T68x2(self) -> NDArray[np.float32]:
        """The points that describe the face's shape, independent of how another video's face moves."""
        return self.points_T68x2 if self.steady_T68x2 is None else self.steady_T68x2

    @property
    def has_face(self) -> bool:
        """Whether any frame has a face."""
        return not np.isnan(self.points_T68x2).any(axis=(1, 2)).all()

    def first(self, frames: int) -> "VideoFeatures":
        """The features of the first frames, with all descriptors."""
        return replace(
            self,
            frames_THWC=self.frames_THWC[:frames],
            points_T68x2=self.points_T68x2[:frames],
            shown_THW=None if self.shown_THW is None else self.shown_THW[:frames],
            steady_T68x2=None if self.steady_T68x2 is None else self.steady_T68x2[:frames],
        )


@dataclass(frozen=True)
class AudioTrack:
    """The sound of T frames: mono at 16 kHz, 640 samples per frame."""

    samples_N: NDArray[np.int16]
    loudness_T: NDArray[np.float32]
    """Root mean square of each frame's samples, as a share of full scale."""
    phonemes_T: NDArray[np.int8] | None = None
    """The class of the spoken phoneme (`pipeline.speech.phonemes`); None if the text is unknown."""


def hear(samples_N: NDArray[np.int16], frames: int, phonemes_T: NDArray[np.int8] | None = None) -> AudioTrack:
    """The sound of ``frames`` frames, padded with silence or cut to their length."""
    fitted = np.zeros(frames * SAMPLES_PER_FRAME, np.int16)
    fitted[: len(samples_N)] = samples_N[: len(fitted)]
    blocks = fitted.reshape(frames, SAMPLES_PER_FRAME).astype(np.float32) / 32768
    return AudioTrack(fitted, np.sqrt(np.square(blocks).mean(axis=1)), phonemes_T)


def observe(frames_THWC: NDArray[np.uint8], points_T68x2: NDArray[np.float32] | None = None) -> VideoFeatures:
    """The features of a clip's square RGB crops (T, size, size, 3). Runs in worker processes.

    A still picture is searched for faces once. ``points_T68x2`` are the landmarks if they are known, in pixels of a
    128x128 face.
    """
    frames = len(frames_THWC)
    still = points_T68x2 is None and frames > 1 and bool((frames_THWC == frames_THWC[:1]).all())
    searched = frames_THWC[:1] if still else frames_THWC
    points = find_landmarks(searched) if points_T68x2 is None else points_T68x2
    chosen = range(0 if len(searched) < IDENTITY_EVERY else IDENTITY_EVERY // 2, len(searched), IDENTITY_EVERY)
    identity = np.stack([describe_face(searched[number], points[number]) for number in chosen])
    return VideoFeatures(frames_THWC, np.broadcast_to(points, (frames, 68, 2)), identity)


def find_landmarks(frames_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """dlib's 68 points (T, 68, 2) of square frames; NaN without a face. Runs in worker processes.

    They are in pixels of a 128x128 face, so that metrics of frames of any size are comparable. Larger frames are
    searched for proportionally larger faces.
    """
    cv2.setNumThreads(0)
    size = frames_THWC.shape[1]
    points = np.full((len(frames_THWC), 68, 2), np.nan, np.float32)
    boxes = {number: box for number, frame in enumerate(frames_THWC) if (box := _find_box(frame)) is not None}
    if boxes:
        points[list(boxes)] = predict_landmarks([frames_THWC[number] for number in boxes], list(boxes.values()))
    return rescale(points, size, SIZE)


def _find_box(frame_HWC: NDArray[np.uint8]) -> Box | None:
    scale = frame_HWC.shape[0] / SIZE
    faces = detect_faces(frame_HWC, levels_above(USUAL_FACE * scale))
    if not faces or faces[0].right - faces[0].left < USUAL_FACE * scale:
        faces = detect_faces(frame_HWC, levels_above(SMALLEST_FACE * scale))
    return faces[0] if faces else None


def describe_face(crop_HWC: NDArray[np.uint8], points_68x2: NDArray[np.float32]) -> NDArray[np.float32]:
    """dlib's face descriptor (128,) of a crop of any size, with its points in pixels of a 128x128 face; NaN for NaN."""
    if np.isnan(points_68x2).any():
        return np.full(128, np.nan, np.float32)
    return face_descriptor(crop_HWC, rescale(points_68x2, SIZE, crop_HWC.shape[0])).astype(np.float32)
