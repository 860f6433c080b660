"""Films of a photograph whose face moves at a known speed, with a tone at a known time."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.media.encode import encode, even_times

Image = NDArray[np.uint8]
SIZE = (256, 208)
START, SPEED = 95.0, 40.0
"""Where the face's middle is at time 0, px from the left, and how far it goes in a second."""
TONE, TONE_FROM, TONE_TO = 440.0, 0.4, 0.8
"""Hz, s, s."""
SECONDS = 1.2
LIPS = 147.0
"""The row of the photograph between the lips."""


@lru_cache(maxsize=1)
def photograph() -> Image:
    """The astronaut Eileen Collins; NASA, public domain."""
    from skimage import data

    return np.asarray(data.astronaut(), np.uint8)


def face_at(
    x: float,
    y: float = 105.0,
    scale: float = 0.75,
    size: tuple[int, int] = SIZE,
    on: Any = None,
    opening: float = 0.0,
) -> Image:
    """The photograph's face with its middle at (x, y) of a picture ``size``, on grey or on ``on``; its mouth opened by
    so many pixels of the photograph.
    """
    middle = np.array([225.0, 115.0])
    transform = np.column_stack([np.eye(2) * scale, np.array([x, y]) - scale * middle])
    ground = np.full((size[1], size[0], 3), 120, np.uint8) if on is None else on.copy()
    # The head alone, so that a second one beside it stays whole.
    head = photograph()[0:240, 110:340]
    if opening:
        rows = np.interp(np.arange(240), [0, LIPS, LIPS + opening + 25, 239 + opening], [0, LIPS, LIPS + 25, 239])
        columns = np.arange(230, dtype=np.float32)
        maps = np.meshgrid(columns, rows.astype(np.float32))
        head = np.asarray(cv2.remap(head, *maps, cv2.INTER_LINEAR), np.uint8)
    shift = transform @ np.array([110.0, 0.0, 1.0])
    moved = np.column_stack([transform[:, :2], shift])
    cv2.warpAffine(head, moved, size, dst=ground, borderMode=cv2.BORDER_TRANSPARENT)
    return ground


def moving(time: float | Fraction, size: tuple[int, int] = SIZE) -> Image:
    """The picture of a film at ``time`` seconds."""
    return face_at(START + SPEED * float(time), size=size)


def tone(rate: int, seconds: float = SECONDS) -> NDArray[np.int16]:
    """Silence with the tone in it."""
    times = np.arange(round(seconds * rate)) / rate
    heard = (times >= TONE_FROM) & (times < TONE_TO)
    return (12000 * np.sin(2 * np.pi * TONE * times) * heard).astype(np.int16)


def film(
    path: Path,
    times: Sequence[Fraction] | None = None,
    *,
    draw: Callable[[float], Image] = moving,
    rate: int = 16000,
    seconds: float = SECONDS,
    **how: Any,
) -> Path:
    """A film of ``seconds`` with a face (``draw(time)``) and the tone; ``how`` as in ``encode``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = even_times(round(seconds * 25), 25) if times is None else times
    length = float(times[-1] + times[1] - times[0]) if len(times) > 1 else seconds
    sound = {"audio": tone(rate, length), "audio_rate": rate, "audio_codec": "aac"}
    picture = {"size": SIZE, "draw": lambda number: draw(float(times[number])), "options": {"crf": "16"}}
    return encode(path, times, **{**picture, **sound, **how})


def at_rate(fps: Fraction) -> list[Fraction]:
    """Times of a film of ``SECONDS`` at ``fps``."""
    return even_times(round(SECONDS * fps), fps)
