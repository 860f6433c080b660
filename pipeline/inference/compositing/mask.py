"""Where a frame may differ from its reference: the parts of the face that move."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.inference.compositing.base import Painted
from pipeline.inference.preprocessing.base import Preprocessing
from pipeline.landmarks.points import NOSE_BASE

STILL, MOVED = 0.3, 0.9
"""Pixels of a 128x128 crop. A part whose points moved less than the first is not painted; beyond the second it is
painted in full. AT-net's landmarks move by up to 0.25 in a quiet recording, and by 1.4 to 1.8 on average in speech."""
HOLD, RELEASE = 8, 8
"""Frames. A part is painted in full for so long after it stood still, and then fades out: lips that close in the middle
of a word stay painted."""
SOFT = 6
"""Pixels of a 128x128 crop from a part's outline, to both sides, over which the mask falls from 1 to 0."""
_FADING = np.clip(1 - (np.arange(HOLD + RELEASE) - HOLD) / RELEASE, 0, 1)


class _Part(NamedTuple):
    moving: NDArray[np.intp]
    """The points whose movement counts."""
    outline: NDArray[np.intp]
    grown: NDArray[np.float64]
    """For each point of the outline, its distance from the centre as a factor."""
    centre: NDArray[np.intp]
    """The points whose mean is the centre."""


def _around(points: slice, factor: float) -> _Part:
    rows = np.arange(points.start, points.stop)
    return _Part(rows, rows, np.full(len(rows), factor), rows)


_JAW = np.arange(3, 14)
_MOUTH = _Part(
    moving=np.concatenate([_JAW, np.arange(48, 68)]),
    outline=np.concatenate([_JAW, [35, NOSE_BASE, 31]]),
    # The outline lies within the cheeks, beside which hair is, and below the chin.
    grown=np.concatenate([0.9 + 0.13 * np.sin(np.pi * _JAW / 16), np.ones(3)]),
    centre=np.array([NOSE_BASE]),
)
SPEAKING = (_MOUTH,)
"""What moves in speech: the face below the nose."""
DRIVEN = (_MOUTH, _around(slice(36, 42), 1.6), _around(slice(42, 48), 1.6), _around(slice(17, 27), 1.2))
"""What moves after another face: also both eyes, and the brows."""


def mask_paint(
    painted: Iterable[Painted],
    preprocessing: Preprocessing,
    parts: tuple[_Part, ...],
    still_TL: NDArray[np.float32] | None = None,
) -> Iterator[Painted]:
    """The chunks of a video from its first frame on, painted only in the ``parts`` of the face that move.

    A part moves where its points are away from ``still_TL``: normalised landmarks (T, 136) of frames that show the
    reference itself, of which the last row stands for all later frames. Without them a part moves where its points are
    away from the reference's.
    """
    first, levels_TP = 0, np.zeros((len(_FADING) - 1, len(parts)))
    for chunk in painted:
        count, reference_68x2 = len(chunk.landmarks_TL), chunk.reference.points_68x2
        points_T68x2 = preprocessing.place(chunk.landmarks_TL, reference_68x2)
        still_T68x2 = reference_68x2[None]
        if still_TL is not None:
            numbers = np.minimum(np.arange(first, first + count), len(still_TL) - 1)
            still_T68x2 = preprocessing.place(still_TL[numbers], reference_68x2)
        side = chunk.attention_THW.shape[-1]
        shifts_T68x2 = points_T68x2 - still_T68x2
        moved_T68 = np.linalg.norm(shifts_T68x2, axis=2) * (SIZE / side)
        now_TP = np.stack([moved_T68[:, part.moving].max(axis=1) for part in parts], axis=1)
        levels_TP = np.concatenate([levels_TP, np.clip((now_TP - STILL) / (MOVED - STILL), 0, 1)])
        # The most of what this frame and those before it moved, each less the longer ago it was.
        shares_TP = np.max(
            [share * levels_TP[len(levels_TP) - count - ago :][:count] for ago, share in enumerate(_FADING)], axis=0
        )
        levels_TP, first = levels_TP[-len(_FADING) + 1 :], first + count

        attention_THW, frames_THWC = np.zeros_like(chunk.attention_THW), np.empty_like(chunk.frames_THWC)
        for t, (shifts_68x2, shares_P) in enumerate(zip(shifts_T68x2, shares_TP, strict=True)):
            if shares_P.any():
                mask_HW = _mask(parts, shares_P, (reference_68x2, reference_68x2 + shifts_68x2), side)
                attention_THW[t] = chunk.attention_THW[t] * mask_HW
            share_HW = attention_THW[t]
            frames_THWC[t] = cv2.blendLinear(
                chunk.colour_THWC[t], chunk.reference.image_HWC, share_HW, np.float32(1) - share_HW
            )
        yield chunk._replace(frames_THWC=frames_THWC, attention_THW=attention_THW)


def _mask(
    parts: tuple[_Part, ...],
    shares_P: NDArray[np.float64],
    both: tuple[NDArray[np.float32], NDArray[np.float32]],
    side: int,
) -> NDArray[np.float32]:
    """(side, side), 0 to 1: each part where it lies in either of the two sets of points, by its share."""
    canvas = np.zeros((side, side), np.uint8)
    for part, share in sorted(zip(parts, shares_P, strict=True), key=lambda pair: pair[1]):
        for points_68x2 in both:
            centre = points_68x2[part.centre].mean(axis=0)
            outline = centre + part.grown[:, None] * (points_68x2[part.outline] - centre)
            # 4 fractional bits, so that the mask moves as smoothly as the face
            cv2.fillPoly(canvas, [np.round(outline * 16).astype(np.int32)], round(255 * share), cv2.LINE_AA, 4)
    width = SOFT * side // SIZE + 1  # twice over, that is SOFT to each side
    soft = cv2.blur(cv2.blur(canvas, (width, width)), (width, width))
    return np.asarray(soft, np.float32) / np.float32(255)
