"""Blinking: a lid of the face's own skin drawn down over the eye, in the texture."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class _Eye:
    box: tuple[slice, slice]
    open: NDArray[np.uint8]
    shut: NDArray[np.float32]
    """The eye painted over with the skin around it."""
    inside: NDArray[np.float32]
    """1 within the lids, with a soft edge."""
    down: NDArray[np.float32]
    """0 at the upper lid to 1 at the lower one."""


class Lids:
    """The two eyes of a texture of ``fine`` pixels a frame pixel; ``points`` are dlib's, in frame pixels."""

    def __init__(self, texture: NDArray[np.float32], points: NDArray[np.float64], fine: int) -> None:
        self._eyes = [_eye(texture, (points[rows] + 0.5) * fine - 0.5) for rows in (slice(36, 42), slice(42, 48))]

    @contextmanager
    def closed(self, texture: NDArray[np.uint8], blink: float) -> Iterator[None]:
        """Within this context the lids in ``texture`` are ``blink`` (0 to 1) closed."""
        if blink <= 0:
            yield
            return
        for eye in self._eyes:
            lid = np.clip((1.15 * blink - eye.down) / 0.15, 0, 1)
            lashes = 1 - 0.6 * np.exp(-(((eye.down - blink) / 0.16) ** 2))
            share = (eye.inside * lid)[..., None]
            mixed = eye.open + (eye.shut * lashes[..., None] - eye.open) * share
            texture[eye.box][..., :3] = np.round(mixed).astype(np.uint8)
        try:
            yield
        finally:
            for eye in self._eyes:
                texture[eye.box][..., :3] = eye.open


def _eye(texture: NDArray[np.float32], lids_62: NDArray[np.float64]) -> _Eye:
    width = lids_62[3, 0] - lids_62[0, 0]
    left, right = int(lids_62[0, 0] - 0.3 * width), int(lids_62[3, 0] + 0.3 * width)
    top, bottom = int(lids_62[:, 1].min() - 0.35 * width), int(lids_62[:, 1].max() + 0.35 * width)
    box = (slice(top, bottom), slice(left, right))
    columns, rows = np.arange(left, right), np.arange(top, bottom)[:, None]
    # The lashes lie outside dlib's points, which mark the rim of the white.
    upper = np.interp(columns, lids_62[[0, 1, 2, 3], 0], lids_62[[0, 1, 2, 3], 1]) - 0.11 * width
    lower = np.interp(columns, lids_62[[0, 5, 4, 3], 0], lids_62[[0, 5, 4, 3], 1]) + 0.05 * width
    across = np.minimum(columns - lids_62[0, 0] + 0.14 * width, lids_62[3, 0] + 0.14 * width - columns)
    inside = ((rows > upper) & (rows < lower) & (across > 0)).astype(np.uint8)

    eye = np.round(texture[box]).clip(0, 255).astype(np.uint8)
    painted = cv2.inpaint(eye, cv2.dilate(inside, np.ones((5, 5), np.uint8)), 5, cv2.INPAINT_TELEA)
    shut = np.asarray(cv2.GaussianBlur(painted.astype(np.float32), (0, 0), 2.0), np.float32)
    return _Eye(
        box=box,
        open=eye,
        shut=shut,
        inside=np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.2), np.float32),
        down=((rows - upper) / np.maximum(lower - upper, 1)).astype(np.float32),
    )
