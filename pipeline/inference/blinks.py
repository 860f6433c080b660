"""Blinks: when the eyes of a picture close."""

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.faces.detect import detect_faces
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.inference.compositing.base import Blinks, Painted
from pipeline.inference.compositing.lids import close_lids
from pipeline.inference.preprocessing.base import Reference
from pipeline.inference.talking_head import TalkingHead
from pipeline.landmarks.eyes import close_eyes, eye_opening
from pipeline.landmarks.points import COUNT, NUMBERS
from pipeline.runtime.clock import FPS

LIDS = np.array([0.45, 0.95, 1.0, 0.75, 0.4, 0.15])
"""How far closed in each frame of a blink: a quarter of a second, down faster than up."""
BETWEEN, SPREAD, SHORTEST = 3.2, 0.5, 0.6
"""Seconds from one blink to the next: their median, the deviation of their logarithm, and the least. That is 16 blinks
a minute; people who rest have 17, who talk 26 (Bentivoglio et al., Movement Disorders 1997)."""
CLOSED = 0.65
"""The share of an eye's opening that dlib's predictor sees at most of eyes that are closed."""


def put_blinks(painted: Iterable[Painted], skin: float, seed: int) -> Iterator[Painted]:
    """The chunks of a video from its first frame on, with lids that blink in frames and landmarks; the same seed at the
    same times, whatever the chunks. ``skin`` as `find_skin` says.
    """
    times, first = _starts(seed), 0
    begun: list[int] = []
    following = next(times)
    for chunk in painted:
        count = len(chunk.landmarks_TL)
        end = first + count
        while following < end:
            begun.append(following)
            following = next(times)
        closed_T = np.zeros(count)
        for start in begun:
            for frame, share in enumerate(LIDS, start - first):
                if 0 <= frame < count:
                    closed_T[frame] = max(closed_T[frame], share)
        begun = [start for start in begun if start + len(LIDS) > end]
        yield _closed(chunk, Blinks(closed_T, skin)) if closed_T.any() else chunk
        first = end


def _closed(chunk: Painted, blinks: Blinks) -> Painted:
    landmarks_TL = close_eyes(chunk.landmarks_TL.reshape(-1, COUNT, 2), blinks.closed_T).reshape(-1, NUMBERS)
    frames_THWC, reference = chunk.frames_THWC.copy(), chunk.reference
    for t in np.flatnonzero(blinks.closed_T):
        lids = blinks.skin, float(blinks.closed_T[t])
        close_lids(frames_THWC[t], reference.image_HWC, reference.points_68x2, *lids)
    return chunk._replace(frames_THWC=frames_THWC, landmarks_TL=landmarks_TL, blinks=blinks)


def _starts(seed: int) -> Iterator[int]:
    """The frames with which blinks begin."""
    random, time = np.random.default_rng(seed), 0.0
    while True:
        time += max(SHORTEST, float(random.lognormal(np.log(BETWEEN), SPREAD)))
        yield round(time * FPS)


def closes_eyes(head: TalkingHead, reference: Reference) -> bool:
    """Whether the networks have learnt to close this face's eyes, as dlib sees the frame that they make of it."""
    points_1x68x2 = close_eyes(reference.points_68x2[None], np.ones(1))
    landmarks_TL = head.preprocessing.normalize(points_1x68x2, reference.points_68x2)
    (painted,) = head.paint(reference, [landmarks_TL])
    pictures = [reference.image_HWC, painted.frames_THWC[0]]
    boxes = [detect_faces(picture)[:1] for picture in pictures]
    if not all(boxes):
        return False
    before, after = (predict_landmarks([picture], box)[0] for picture, box in zip(pictures, boxes, strict=True))
    return bool(eye_opening(after[None])[0] <= CLOSED * eye_opening(before[None])[0])
