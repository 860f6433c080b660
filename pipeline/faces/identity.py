"""Who is shown: whether a clip has one person in one shot, and which clips show the same person.

dlib's face descriptor takes as long as the rest of a clip. So it is computed only for two frames of clips whose cheap
signatures differ, about one in 400 of GRID.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from pipeline.faces.align import align
from pipeline.faces.crop import CROP, crop_face
from pipeline.faces.shape_predictor import check_model, model_path
from pipeline.landmarks.points import STABLE

WINDOW = 5  # frames that are replaced by their median, so that a blink, a flash or a damaged frame does not count
MAX_SIGNATURE_DISTANCE = 0.05
"""Distance of signatures within a clip above which descriptors are compared. 825 of GRID's 827 clips and the whole
sample stay below it. 999 in 1000 pairs of 225 portraits lie above it, and turning heads reach 0.6."""
MIN_CUT = 0.04  # distance of signatures of successive frames that may be a cut. A fixed camera gives at most 0.03
CUT_FACTOR = 3.0
"""A cut's distance is this many times that of nine in ten other frames, so that steady movement of a head is no cut."""
MAX_MOVE, MAX_ZOOM = 1.0, 0.15
"""A face that moves by more of its radii, or changes its log size by more, between two frames is in a new shot. Real
faces move by 0.4 and grow by 0.06 at most."""
MAX_OFFSET = 8.0  # pixels between a face and its place in the crop up to which a frame counts
PERSON_DISTANCE = 0.5  # mean distance of face descriptors from which clips show two people. One person has up to 0.44

_AREA = slice(8, 120)
_CHIP = slice(8, 113), slice(12, 117)  # rows and columns of a crop that dlib would describe, on average
_BYTES = 22_466_066


def signatures(crops_THWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Signatures (T, 64) of RGB crops (T, 128, 128, 3): grey levels of 8x8 squares, centred and of length 1.

    Brightness and contrast do not change them.
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
    """The distance of the face descriptors of the two least similar parts of a clip; 0 when all parts are similar.

    Points are in pixels of the crops. Frames without the face (``found_T``) do not count, nor frames next to a leap,
    where the smoothed alignment leaves the face away from its place. One person has up to 0.44, also when the head
    turns. Two people have 0.5 and more in all but 2 of 10,000 pairs of portraits.
    """
    offset_T2 = (points_T68x2[:, STABLE] - np.array(CROP.points, np.float32)).mean(axis=1)
    used = np.flatnonzero(found_T & (np.linalg.norm(offset_T2, axis=1) < MAX_OFFSET))
    count = len(used) // WINDOW
    if count < 2:
        return 0.0
    windows = np.median(signatures_TS[used[: count * WINDOW]].reshape(count, WINDOW, -1), axis=1)
    usual = windows[np.argmin(_distance(windows, np.median(windows, axis=0)))]
    distances = _distance(windows, usual)
    if distances.max() <= MAX_SIGNATURE_DISTANCE:
        return 0.0
    order = np.argsort(distances, kind="stable")
    other = (_distance(windows, windows[order[-1]]) < distances)[order]
    # The middle window of each part is neither within a dissolve nor the extreme of a movement.
    frames = [used[part[len(part) // 2] * WINDOW + WINDOW // 2] for part in (order[~other], order[other])]
    first, second = (face_descriptor(crops_THWC[frame], points_T68x2[frame]) for frame in frames)
    return float(np.linalg.norm(first - second))


def find_cuts(
    signatures_TS: NDArray[np.float32], stable_TPx2: NDArray[np.floating], found_T: NDArray[np.bool_]
) -> list[int]:
    """The first frames of new shots: the face's surroundings, place or size change and stay so for `WINDOW` frames.

    ``stable_TPx2`` are points in source pixels that speech does not move. Both shots may show the same person.
    """
    middle_T2 = stable_TPx2.mean(axis=1)
    radius_T = np.sqrt(np.square(stable_TPx2 - middle_T2[:, None]).sum(axis=2).mean(axis=1)) + 1e-6
    both_T = found_T[1:] & found_T[:-1]
    usual = np.percentile(_distance(signatures_TS[1:], signatures_TS[:-1])[both_T], 90) if both_T.any() else 0.0
    tracks = signatures_TS, middle_T2, radius_T[:, None]

    def changed(before: Sequence[NDArray[np.floating]], after: Sequence[NDArray[np.floating]]) -> NDArray[np.bool_]:
        """Whether signatures (N, S), middles (N, 2) and radii (N, 1) differ as those of two shots do."""
        move = np.linalg.norm(after[1] - before[1], axis=1) / before[2][:, 0]
        zoom = np.abs(np.log(after[2] / before[2]))[:, 0]
        cut = _distance(after[0], before[0]) > max(MIN_CUT, CUT_FACTOR * float(usual))
        return np.asarray(cut | (move > MAX_MOVE) | (zoom > MAX_ZOOM))

    sudden = np.flatnonzero(both_T & changed([track[:-1] for track in tracks], [track[1:] for track in tracks])) + 1
    inner = sudden[(sudden >= WINDOW) & (sudden <= len(found_T) - WINDOW)]
    if not len(inner):
        return []
    before, after = (
        [np.array([np.median(track[at + first : at + first + WINDOW], axis=0) for at in inner]) for track in tracks]
        for first in (-WINDOW, 0)
    )
    cuts = inner[changed(before, after)]
    return [int(at) for at in cuts if at - 1 not in cuts]  # the smoothed alignment goes on moving after a leap


def _distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the squared distance of signatures: 0 for equal ones, about 1 for unrelated ones."""
    return np.asarray(np.square(first - second).sum(axis=-1) / 2, np.float32)


def face_descriptor(crop_HWC: NDArray[np.uint8], points_68x2: NDArray[np.float32]) -> NDArray[np.float64]:
    """dlib's face descriptor (128,) of a crop with its points."""
    upright = crop_face(crop_HWC, align(points_68x2[None], per_frame=True)[0])
    chip = cv2.resize(upright[_CHIP], (150, 150), interpolation=cv2.INTER_LINEAR)
    return np.array(_descriptor().compute_face_descriptor(np.asarray(chip, np.uint8)))


@lru_cache(maxsize=1)
def _descriptor() -> Any:
    path = model_path("dlib_face_recognition_resnet_model_v1.dat")
    check_model(path, "the face descriptor", _BYTES)
    return dlib.face_recognition_model_v1(str(path))


def group_by_person(clips: Sequence[str], descriptors_N128: NDArray[np.float64]) -> list[list[str]]:
    """The clips of each person, largest group first; of equal groups, the one whose clip comes first."""
    if len(clips) < 2:
        return [list(clips)]
    numbers = fcluster(linkage(descriptors_N128, "average"), PERSON_DISTANCE, "distance")
    groups = [list(compress(clips, numbers == person)) for person in set(numbers)]
    return sorted(groups, key=lambda group: (-len(group), clips.index(group[0])))
