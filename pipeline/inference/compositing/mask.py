"""Limits VG-net's paint to the parts of the face that move."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.crop import SIZE
from pipeline.inference.compositing.base import Painted
from pipeline.landmarks.points import NOSE_BASE

STILL, MOVED = 0.3, 0.9
"""Pixels of a 128x128 crop. A part whose points move less than the first is not painted; beyond the second it is
painted in full. AT-net's landmarks move by up to 0.25 in a quiet recording, and by 1.4 to 1.8 on average in speech."""
HOLD, RELEASE = 8, 8
"""Frames. A part that stops moving is painted in full for the first number of frames, and fades out over the second.
Lips that close within a word therefore stay painted."""
SOFT = 6
"""Pixels of a 128x128 crop on both sides of a part's outline, over which the mask falls from 1 to 0."""
_FADING = np.clip(1 - (np.arange(HOLD + RELEASE) - HOLD) / RELEASE, 0, 1)


class _Part(NamedTuple):
    moving: NDArray[np.intp]  # points whose movement counts
    outline: NDArray[np.intp]
    grown: NDArray[np.float64]  # factor on the distance from the centre, for each point of the outline
    centre: NDArray[np.intp]  # points whose mean is the centre


def _around(points: slice, factor: float) -> _Part:
    rows = np.arange(points.start, points.stop)
    return _Part(rows, rows, np.full(len(rows), factor), rows)


_JAW = np.arange(3, 14)
_MOUTH = _Part(
    moving=np.concatenate([_JAW, np.arange(48, 68)]),
    outline=np.concatenate([_JAW, [35, NOSE_BASE, 31]]),
    # The outline stays within the cheeks, to exclude hair, and extends below the chin.
    grown=np.concatenate([0.9 + 0.13 * np.sin(np.pi * _JAW / 16), np.ones(3)]),
    centre=np.array([NOSE_BASE]),
)
SPEAKING = (_MOUTH,)  # in speech the face below the nose moves
DRIVEN = (_MOUTH, _around(slice(36, 42), 1.6), _around(slice(42, 48), 1.6), _around(slice(17, 27), 1.2))
"""The parts that move when another face drives this one: also both eyes, and the brows."""


def mask_paint(
    painted: Iterable[Painted], parts: tuple[_Part, ...], still_T68x2: NDArray[np.float32] | None = None
) -> Iterator[Painted]:
    """Limit the paint of a video, from its first frame on, to the ``parts`` of the face that move.

    ``still_T68x2`` are points that count as no movement, in pixels of the crop; the last row holds for all later
    frames. By default they are the reference's points. Yields the chunks with new frames and attention.
    """
    first, levels_TP = 0, np.zeros((len(_FADING) - 1, len(parts)))
    for chunk in painted:
        count, reference_68x2 = len(chunk.points_T68x2), chunk.reference.points_68x2
        still = reference_68x2[None] if still_T68x2 is None else still_T68x2
        numbers = np.minimum(np.arange(first, first + count), len(still) - 1)
        side = chunk.attention_THW.shape[-1]
        shifts_T68x2 = chunk.points_T68x2 - still[numbers]
        moved_T68 = np.linalg.norm(shifts_T68x2, axis=2) * (SIZE / side)
        now_TP = np.stack([moved_T68[:, part.moving].max(axis=1) for part in parts], axis=1)
        levels_TP = np.concatenate([levels_TP, np.clip((now_TP - STILL) / (MOVED - STILL), 0, 1)])
        # The largest movement of this frame and the frames before it, which count less the older they are.
        shares_TP = np.max(
            [share * levels_TP[len(levels_TP) - count - ago :][:count] for ago, share in enumerate(_FADING)], axis=0
        )
        levels_TP, first = levels_TP[-len(_FADING) + 1 :], first + count

        moving_THW, frames_THWC = np.zeros_like(chunk.attention_THW), np.empty_like(chunk.frames_THWC)
        for t, (shifts_68x2, shares_P) in enumerate(zip(shifts_T68x2, shares_TP, strict=True)):
            if shares_P.any():
                moving_THW[t] = draw_mask(parts, shares_P, (reference_68x2, reference_68x2 + shifts_68x2), side)
            share_HW = chunk.attention_THW[t] * moving_THW[t]
            frames_THWC[t] = cv2.blendLinear(
                chunk.colour_THWC[t], chunk.reference.image_HWC, share_HW, np.float32(1) - share_HW
            )
        attention_THW = chunk.attention_THW * moving_THW
        yield chunk._replace(frames_THWC=frames_THWC, attention_THW=attention_THW, moving_THW=moving_THW)


def draw_mask(
    parts: tuple[_Part, ...],
    shares_P: NDArray[np.float64],
    positions: tuple[NDArray[np.float32], NDArray[np.float32]],
    side: int,
) -> NDArray[np.float32]:
    """Draw the mask (side, side), 0 to 1: each part in both of its positions, with its share as the level."""
    canvas = np.zeros((side, side), np.uint8)
    for part, share in sorted(zip(parts, shares_P, strict=True), key=lambda pair: pair[1]):
        for points_68x2 in positions:
            centre = points_68x2[part.centre].mean(axis=0)
            outline = centre + part.grown[:, None] * (points_68x2[part.outline] - centre)
            # 4 fractional bits, so that the mask moves as smoothly as the face
            cv2.fillPoly(canvas, [np.round(outline * 16).astype(np.int32)], round(255 * share), cv2.LINE_AA, 4)
    width = SOFT * side // SIZE + 1  # applied twice, this reaches SOFT to each side
    soft = cv2.blur(cv2.blur(canvas, (width, width)), (width, width))
    return np.asarray(soft, np.float32) / np.float32(255)
