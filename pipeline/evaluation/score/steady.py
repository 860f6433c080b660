"""Landmarks of a generated video, measured so that the real video's motion does not pass for motion of its lips.

A generated face is cut by the real one's transform, so that pixels are compared in one place. Where the real head moves
and the generated one does not, that cut moves over the generated picture, and dlib's points of a resampled picture
change by some tenths of a pixel with it.
"""

from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.score.crops import Crops, cut, follow
from pipeline.faces.crop import CROP, SIZE, from_crop, to_crop
from pipeline.faces.replay import Replay
from pipeline.metrics.observe import VideoFeatures, find_landmarks, observe

STILL = 6.5
"""Levels of 0 to 255 by which squares of `SQUARE` pixels of a still picture's crop differ at most. H.264 down to CRF 28
changes a repeated picture by less, and a mouth that moves by a tenth of the real one changes it by more (8 levels).
"""
SQUARE = 4
"""Pixels of the crop of 128x128."""
LEAK = 0.2
"""Pixels of the crop of 128x128, the deviation over time, by which a face that moves with the real one stays off the
real one's transform: real clips that are encoded again have less."""


def observe_steady(crops: Crops) -> VideoFeatures:
    """What is seen of a generated video, as `observe` of its crops.

    Where its face does not move as the crops do, the landmarks are measured in crops that follow its own face
    (`VideoFeatures.steady_T68x2`), and moved to the place that they have in ``crops``. The landmarks of a still
    picture are the same in all frames.
    """
    own_T2x3 = _still(crops)
    if own_T2x3 is not None:
        points = find_landmarks(cut(_first(crops), own_T2x3[:1], crops.frames_THWC.shape[1]))
        steady = np.repeat(points, len(own_T2x3), axis=0)
    else:
        own_T2x3 = follow(crops.video) if crops.aligned == "real" else None
        if own_T2x3 is None or _apart(own_T2x3, crops.transforms_T2x3) < LEAK:
            return replace(observe(crops.frames_THWC), shown_THW=crops.shown())
        steady = find_landmarks(cut(crops.video, own_T2x3, crops.frames_THWC.shape[1]))
    placed = to_crop(from_crop(steady, own_T2x3), crops.transforms_T2x3)
    return replace(observe(crops.frames_THWC, placed), shown_THW=crops.shown(), steady_T68x2=steady)


def _still(crops: Crops) -> NDArray[np.float32] | None:
    """The transforms onto crops that follow a still picture's face; None for a video that moves, or shows no face."""
    frames = len(crops.frames_THWC)
    fixed_T2x3 = np.repeat(crops.transforms_T2x3[:1], frames, axis=0)
    seen = crops.frames_THWC if crops.aligned == "crop" else cut(crops.video, fixed_T2x3, SIZE)
    side = SIZE // SQUARE
    squares = [cv2.resize(one.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for one in seen]
    if frames < 2 or max(float(np.abs(one - squares[0]).max()) for one in squares) > STILL:
        return None
    own = follow(_first(crops)) if crops.aligned != "crop" else fixed_T2x3
    return None if own is None else np.repeat(own[:1], frames, axis=0)


def _first(crops: Crops) -> Replay:
    return Replay(lambda: islice(crops.video, 1))


def _apart(one_T2x3: NDArray[np.float32], other_T2x3: NDArray[np.float32]) -> float:
    """By how much two transforms move a face against each other, the deviation over time in pixels of the crop."""
    place = np.array(CROP.points, np.float32)
    points = np.broadcast_to(place, (len(one_T2x3), *place.shape))
    moved = to_crop(from_crop(points, one_T2x3), other_T2x3)
    return float((moved - moved.mean(axis=0)).std())
