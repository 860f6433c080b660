"""The face of a video, frame by frame."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config.params import FaceRule, Landmarks
from pipeline.faces.align import align
from pipeline.faces.crop import CropGeometry, to_crop
from pipeline.faces.frontal import measure_frontal
from pipeline.faces.select import choose_face
from pipeline.faces.track import track_face
from pipeline.inference.face import check_face
from pipeline.runtime.errors import PipelineError


@dataclass(frozen=True)
class Tracked:
    """Where it lies in T frames."""

    points_T68x2: NDArray[np.float32]
    """In pixels of the frames."""
    onto_T2x3: NDArray[np.float32]
    """From there onto the crop, smooth over time."""
    crop_points_T68x2: NDArray[np.float32]
    """In pixels of the crop."""


def track(path: Path, frames: Iterable[NDArray[np.uint8]], rule: FaceRule, crop: CropGeometry) -> Tracked:
    """Of RGB frames (H, W, 3) at 25 per second, which are read once.

    What is said of a picture's face is said of the first frame's. Raises PipelineError where ``path``, whose frames
    they are, does not show one frontal face throughout.
    """
    usual, waiting = Landmarks(), iter(frames)
    first_HWC = next(waiting)
    found = track_face(chain([first_HWC], waiting), usual.detect_every, rule)
    share = float(found.found_T.mean())
    if share < usual.min_detected:
        raise PipelineError(
            f"{path} shows a face in {share:.0%} of its frames. Give a video that shows one face throughout."
        )
    onto = align(found.points_T68x2, per_frame=False, smoothing=usual.smoothing, crop=crop)
    points = to_crop(found.points_T68x2, onto)
    frontal = measure_frontal(points)
    if frontal < usual.min_frontal:
        raise PipelineError(f"The face in {path} is turned to the side. Give a video that shows it from the front.")
    if choice := choose_face(first_HWC, rule):
        check_face(str(path), replace(choice, frontal=frontal), rule, crop.size)
    return Tracked(found.points_T68x2, onto, points)
