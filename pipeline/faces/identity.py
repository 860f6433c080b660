"""Whether a clip shows one person in one shot, from its crops.

dlib's face descriptor tells people apart, but takes as long as the rest of a clip. So every frame gets a signature that
costs next to nothing, and the descriptor is computed of two frames alone, and only of clips whose signatures give a
reason to: one in 400 of GRID's.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import align
from pipeline.faces.crop import CROP, crop_face
from pipeline.faces.shape_predictor import check_model, model_path
from pipeline.landmarks.points import STABLE

WINDOW = 5
"""Frames whose median stands for them: a blink, a flash or a damaged frame does not count."""
REASON = 0.05
"""Distance of signatures within a clip above which the descriptor is asked. 825 of GRID's 827 clips and all of the
sample's stay below it, 999 in 1000 pairs of 225 portraits lie above; heads that turn reach 0.6."""
CUT = 0.04
"""Distance of signatures of successive frames that may be a cut; in front of a camera that stands still 0.03 at most.
"""
UNLIKE = 3.0
"""A cut's distance is so many times that of nine in ten other frames: a head that moves all the time does not count."""
LEAP, ZOOM = 1.0, 0.15
"""A face that moves by so many of its radii within a frame, or grows or shrinks by so much, is of another shot; real
ones move by 0.4 and grow by 0.06 at most."""

ASTRAY = 8.0
"""Pixels by which a face may be away from its place in the crop."""

_AREA = slice(8, 120)
_CHIP = slice(8, 113), slice(12, 117)  # rows and columns of a crop that dlib would describe, on average
_BYTES = 22_466_066


def signatures(crops_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What each RGB crop (T, 128, 128, 3) shows, as (T, 64) numbers: grey levels of 8x8 squares, less their mean, of
    length 1, so that neither brightness nor contrast counts.
    """
    small = [cv2.resize(crop[_AREA, _AREA], (8, 8), interpolation=cv2.INTER_AREA) for crop in crops_THWC]
    grey = np.array(small, np.float32).reshape(len(small), 64, 3) @ np.array([0.299, 0.587, 0.114], np.float32)
    grey -= grey.mean(axis=1, keepdims=True)
    return np.asarray(grey / np.maximum(np.linalg.norm(grey, axis=1, keepdims=True), 1e-3), np.float32)


def measure_identity(
    crops_THWC: NDArray[np.uint8],
    points_T68x2: NDArray[np.float32],
    signatures_TS: NDArray[np.float32],
    found_T: NDArray[np.bool_],
) -> float:
    """The distance of dlib's face descriptors between the two parts of a clip that are least alike; 0 where all are.

    ``points_T68x2`` are in pixels of the crops. Only frames count in which the face was found, and not those beside a
    leap, which the smooth alignment leaves away from its place. Parts that lie apart count as those side by side: it
    does not matter whether a cut, a dissolve or a gap separates them, nor how often. The same person has up to 0.44,
    also where the head turns; other people have 0.5 and more in all but 2 of 10,000 pairs of portraits.
    """
    away_T2 = (points_T68x2[:, STABLE] - np.array(CROP.points, np.float32)).mean(axis=1)
    seen = np.flatnonzero(found_T & (np.linalg.norm(away_T2, axis=1) < ASTRAY))
    count = len(seen) // WINDOW
    if count < 2:
        return 0.0
    windows = np.median(signatures_TS[seen[: count * WINDOW]].reshape(count, WINDOW, -1), axis=1)
    usual = windows[np.argmin(_apart(windows, np.median(windows, axis=0)))]
    apart = _apart(windows, usual)
    if apart.max() <= REASON:
        return 0.0
    order = np.argsort(apart, kind="stable")
    other = (_apart(windows, windows[order[-1]]) < apart)[order]
    # Of both parts the window in the middle, which neither a dissolve nor the extreme of a movement is.
    frames = [seen[part[len(part) // 2] * WINDOW + WINDOW // 2] for part in (order[~other], order[other])]
    one, two = (describe(crops_THWC[frame], points_T68x2[frame]) for frame in frames)
    return float(np.linalg.norm(one - two))


def find_cuts(
    signatures_TS: NDArray[np.float32], stable_TPx2: NDArray[np.floating], found_T: NDArray[np.bool_]
) -> list[int]:
    """The frames with which another shot of a face begins: what is about it, its place or its size changes at once and
    stays so for `WINDOW` frames.

    ``stable_TPx2`` are points that speech does not move, in source pixels. Who is seen in both shots does not matter.
    """
    middle_T2 = stable_TPx2.mean(axis=1)
    radius_T = np.sqrt(np.square(stable_TPx2 - middle_T2[:, None]).sum(axis=2).mean(axis=1)) + 1e-6
    both_T = found_T[1:] & found_T[:-1]
    usual = np.percentile(_apart(signatures_TS[1:], signatures_TS[:-1])[both_T], 90) if both_T.any() else 0.0
    tracks = signatures_TS, middle_T2, radius_T[:, None]

    def change(before: Sequence[NDArray[np.floating]], after: Sequence[NDArray[np.floating]]) -> NDArray[np.bool_]:
        """Whether signatures (N, S), middles (N, 2) and radii (N, 1) differ as those of two shots do."""
        leap = np.linalg.norm(after[1] - before[1], axis=1) / before[2][:, 0]
        zoom = np.abs(np.log(after[2] / before[2]))[:, 0]
        return np.asarray(
            (_apart(after[0], before[0]) > max(CUT, UNLIKE * float(usual))) | (leap > LEAP) | (zoom > ZOOM)
        )

    sudden = np.flatnonzero(both_T & change([one[:-1] for one in tracks], [one[1:] for one in tracks])) + 1
    inner = sudden[(sudden >= WINDOW) & (sudden <= len(found_T) - WINDOW)]
    sides = [
        [np.array([np.median(one[at + first : at + first + WINDOW], axis=0) for at in inner]) for one in tracks]
        for first in (-WINDOW, 0)
    ]
    cuts = inner[change(*sides)] if len(inner) else inner
    return [int(at) for at in cuts if at - 1 not in cuts]  # behind a leap the smooth alignment goes on moving


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the squared distance of signatures: 0 for equal ones, about 1 for those that share nothing."""
    return np.asarray(np.square(one - other).sum(axis=-1) / 2, np.float32)


def describe(crop_HWC: NDArray[np.uint8], points_68x2: NDArray[np.float32]) -> NDArray[np.float64]:
    """dlib's face descriptor (128,) of a crop with its points."""
    upright = crop_face(crop_HWC, align(points_68x2[None], per_frame=True, smoothing=0.0)[0])
    chip = cv2.resize(upright[_CHIP], (150, 150), interpolation=cv2.INTER_LINEAR)
    return np.array(_descriptor().compute_face_descriptor(np.asarray(chip, np.uint8)))


@lru_cache(maxsize=1)
def _descriptor() -> Any:
    path = model_path("dlib_face_recognition_resnet_model_v1.dat")
    check_model(path, "the face descriptor", _BYTES)
    return dlib.face_recognition_model_v1(str(path))
