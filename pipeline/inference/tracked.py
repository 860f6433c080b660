"""Tracks the face of a video."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule, Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import CropGeometry, to_crop
from pipeline.faces.select import choose_face
from pipeline.faces.track import track_face
from pipeline.inference.face_warnings import check_face
from pipeline.landmarks.shape import frontality
from pipeline.runtime.errors import PipelineError


@dataclass(frozen=True)
class Tracked:
    """The position of a face in T frames."""

    points_T68x2: NDArray[np.float32]  # in pixels of the frames
    onto_T2x3: NDArray[np.float32]  # transforms from the frames to the crop, smooth over time
    crop_points_T68x2: NDArray[np.float32]  # in pixels of the crop


def track(path: Path, frames: Iterable[NDArray[np.uint8]], rule: FaceRule, crop: CropGeometry) -> Tracked:
    """Track a face through the RGB frames (H, W, 3) of ``path`` at 25 per second. The frames are read once.

    Raises PipelineError if the video does not show one frontal face throughout.
    """
    defaults, remaining = Landmarks(), iter(frames)
    first_HWC = next(remaining)
    tracked = track_face(chain([first_HWC], remaining), defaults.detect_every, rule)
    share = float(tracked.found_T.mean())
    if share < defaults.min_detected:
        advice = "Give a video that shows one face throughout."
        raise PipelineError(f"shows a face in {share:.0%} of its frames", subject=path, advice=advice)
    onto = align(tracked.points_T68x2, per_frame=False, smoothing=defaults.smoothing, crop=crop)
    points = to_crop(tracked.points_T68x2, onto)
    frontal = frontality(points)
    if frontal < defaults.min_frontal:
        advice = "Give a video that shows it from the front."
        raise PipelineError("shows a face that is turned to the side", subject=path, advice=advice)
    if choice := choose_face(first_HWC, rule):
        check_face(path, replace(choice, frontal=frontal), rule, crop.size)
    return Tracked(tracked.points_T68x2, onto, points)
