"""Landmarks of generated heads that do not move as the real head does.

A generated face is cut by the real video's transform, so that pixels are compared in one place. Where the real head
moves and the generated head does not, that cut moves over the generated picture, and dlib's points change by some
tenths of a pixel. Such faces are measured in crops that follow their own head.
"""

from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.score.crops import Crops, cut, follow_face
from pipeline.faces.crop import CROP, SIZE, from_crop, to_crop
from pipeline.faces.replay import Replay
from pipeline.metrics.observe import VideoFeatures, find_landmarks, observe

STILL = 6.5
"""A picture stands still if squares of `SQUARE` pixels differ by at most this many levels of 255 over time. H.264 down
to CRF 28 changes a repeated picture by less; a mouth that moves a tenth as far as a real one changes it by 8 levels."""
SQUARE = 4
"""Pixels of a 128x128 crop."""
LEAK = 0.2
"""Pixels of a 128x128 crop, the deviation over time between a face's own transform and the real video's. Re-encoded
real clips have less; faces with more move differently from the real one."""


def observe_steady(crops: Crops) -> VideoFeatures:
    """The features of a generated video, as `observe` has them of its crops.

    If the face does not move as the crops do, its landmarks are measured in crops that follow the face itself
    (`VideoFeatures.steady_T68x2`), and also moved to their place in ``crops``. A still picture has the same landmarks
    in all frames.
    """
    frames, size = len(crops.frames_THWC), crops.frames_THWC.shape[1]
    own_T2x3 = _still_transforms(crops)
    if own_T2x3 is not None:
        points = find_landmarks(cut(_first_frame(crops), own_T2x3[:1], size))
        steady = np.repeat(points, frames, axis=0)
    else:
        own_T2x3 = follow_face(crops.video) if crops.aligned == "real" else None
        if own_T2x3 is None or _deviation(own_T2x3, crops.transforms_T2x3) < LEAK:
            return replace(observe(crops.frames_THWC), shown_THW=crops.shown())
        steady = find_landmarks(cut(crops.video, own_T2x3, size))
    placed = to_crop(from_crop(steady, own_T2x3), crops.transforms_T2x3)
    return replace(observe(crops.frames_THWC, placed), shown_THW=crops.shown(), steady_T68x2=steady)


def _still_transforms(crops: Crops) -> NDArray[np.float32] | None:
    """The transforms of a still picture's own face; None if the video moves, or no face is found."""
    frames = len(crops.frames_THWC)
    fixed_T2x3 = np.repeat(crops.transforms_T2x3[:1], frames, axis=0)
    pictures = crops.frames_THWC if crops.aligned == "crop" else cut(crops.video, fixed_T2x3, SIZE)
    side = SIZE // SQUARE
    squares = [
        cv2.resize(picture.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for picture in pictures
    ]
    if frames < 2 or max(float(np.abs(later - squares[0]).max()) for later in squares) > STILL:
        return None
    if crops.aligned == "crop":
        return fixed_T2x3
    own = follow_face(_first_frame(crops))
    return None if own is None else np.repeat(own, frames, axis=0)


def _first_frame(crops: Crops) -> Replay:
    return Replay(lambda: islice(crops.video, 1))


def _deviation(first_T2x3: NDArray[np.float32], second_T2x3: NDArray[np.float32]) -> float:
    """How much two transforms move a face against each other: the deviation over time, in pixels of a 128x128 crop."""
    place = np.array(CROP.points, np.float32)
    points = np.broadcast_to(place, (len(first_T2x3), *place.shape))
    moved = to_crop(from_crop(points, first_T2x3), second_T2x3)
    return float((moved - moved.mean(axis=0)).std())
