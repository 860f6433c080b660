"""Blinks: when the eyes close, and whether the networks can close them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.compositing.base import Painted
from pipeline.inference.compositing.lids import close_lids
from pipeline.inference.painter import Painter
from pipeline.landmarks.shape import close_eyes, eye_opening
from pipeline.preprocessing.base import Reference
from pipeline.runtime.clock import FPS

LIDS = np.array([0.45, 0.95, 1.0, 0.75, 0.4, 0.15])
"""How far the lids are closed in each frame of a blink: a quarter of a second, closing faster than opening."""
MEDIAN_PAUSE, PAUSE_DEVIATION, SHORTEST_PAUSE = 3.2, 0.5, 0.6
"""Seconds between blinks: median, standard deviation of the logarithm, and minimum. This gives 16 blinks a minute; the
rates are 17 at rest and 26 in conversation (Bentivoglio et al., Movement Disorders 1997)."""
CLOSED = 0.65
"""dlib's predictor sees closed eyes at most this open, as a share of their opening in the picture."""


def draw_blinks(painted: Iterable[Painted], skin: float, seed: int) -> Iterator[Painted]:
    """Close the eyes now and then, in frames and landmarks of a video from its first frame on.

    Equal seeds give blinks at equal times, whatever the sizes of the chunks. ``skin`` is the result of `find_skin`.
    """
    starts, first, closed_T = _blink_starts(seed), 0, np.zeros(0)
    start = next(starts)
    for chunk in painted:
        count = len(chunk.points_T68x2)
        closed_T = np.pad(closed_T, (0, max(0, count + len(LIDS) - len(closed_T))))  # from frame number `first` on
        while start < first + count:
            blink = slice(start - first, start - first + len(LIDS))
            closed_T[blink] = np.maximum(closed_T[blink], LIDS)
            start = next(starts)
        yield _with_closed_eyes(chunk, closed_T[:count], skin) if closed_T[:count].any() else chunk
        first, closed_T = first + count, closed_T[count:]


def _with_closed_eyes(chunk: Painted, closed_T: NDArray[np.float64], skin: float) -> Painted:
    points_T68x2 = close_eyes(chunk.points_T68x2, closed_T)
    frames_THWC, reference = chunk.frames_THWC.copy(), chunk.reference
    for t in np.flatnonzero(closed_T):
        close_lids(frames_THWC[t], reference.image_HWC, reference.points_68x2, skin, float(closed_T[t]))
    return chunk._replace(frames_THWC=frames_THWC, points_T68x2=points_T68x2, closed_T=closed_T, skin=skin)


def _blink_starts(seed: int) -> Iterator[int]:
    """Yield the first frame of each blink."""
    random, time = np.random.default_rng(seed), 0.0
    while True:
        time += max(SHORTEST_PAUSE, float(random.lognormal(np.log(MEDIAN_PAUSE), PAUSE_DEVIATION)))
        yield round(time * FPS)


def closes_eyes(head: Painter, reference: Reference) -> bool:
    """Return whether the networks can close this face's eyes. A frame is painted with closed eyes and measured."""
    points_1x68x2 = close_eyes(reference.points_68x2[None], np.ones(1))
    landmarks_TL = head.preprocessing.normalize(points_1x68x2, reference.points_68x2)
    (painted,) = head.paint(reference, [landmarks_TL])
    pictures = [reference.image_HWC, painted.frames_THWC[0]]
    boxes = [detect_faces(picture)[:1] for picture in pictures]
    if not all(boxes):
        return False
    before, after = (predict_landmarks([picture], box)[0] for picture, box in zip(pictures, boxes, strict=True))
    return bool(eye_opening(after[None])[0] <= CLOSED * eye_opening(before[None])[0])
