"""What open lips show: the photograph's own upper teeth or painted ones, lower teeth, a tongue, and the dark."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.synthetic import anatomy as body
from pipeline.corpora.synthetic.photo import Points
from pipeline.corpora.synthetic.warp import Box, sample

_DARK = (46.0, 17.0, 18.0)
_TONGUE = (158.0, 78.0, 76.0)
_ENAMEL = (205.0, 196.0, 178.0)


@dataclass(frozen=True)
class Teeth:
    """Upper teeth in a photograph."""

    image_HWC: NDArray[np.float32]
    """The photograph, RGB from 0 to 255."""
    rim_N2: Points
    """The opening in which they show, in its pixels."""
    edge: Points
    """Where the incisors meet, at their lower end (2,)."""
    zoom: float
    """Frame pixels a photograph pixel."""


class MouthInside:
    """The inside of one subject's mouth, over the frame's ``box``, kept at ``fine`` texture pixels a frame pixel.

    Upper teeth move with the head, the rest with the jaw. ``teeth`` is None where the photograph shows none.
    """

    def __init__(self, teeth: Teeth | None, anatomy: body.Anatomy, box: Box, fine: int) -> None:
        self._fine = fine
        self._corner = np.array([box[1].start, box[0].start], np.float32)
        self._size = ((box[0].stop - box[0].start) * self._fine, (box[1].stop - box[1].start) * self._fine)
        self._half = anatomy.half_width
        self._middle = anatomy.neutral[body.LOWER_INNER][4] - self._corner
        self._upper_teeth = self._painted_teeth(upper=True) if teeth is None else self._photographed_teeth(teeth)
        self._lower_teeth = self._painted_teeth(upper=False)
        self._tongue = self._painted_tongue()

    def seen(
        self, map_HW2: NDArray[np.float32], jaw: float, tongue: float, gap: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The inside under a head moved by ``map_HW2``, RGB float32 (H, W, 3).

        ``jaw`` is how far it is down (pixels), ``tongue`` how far its tip is up (0 to 1), ``gap`` (H, W, 1) where the
        lips leave the inside open; light reaches the middle of the gap more than its edges.
        """
        colours: NDArray[np.float32] = np.full((*map_HW2.shape[:2], 3), _DARK, np.float32)
        lift = 0.25 * self._half * tongue
        for layer, down in (
            (self._tongue, 0.62 * jaw - lift),
            (self._lower_teeth, 0.97 * jaw),
            (self._upper_teeth, 0.0),
        ):
            seen = sample(layer, map_HW2 - self._corner - np.array([0, down], np.float32), self._fine)
            colours = colours + (seen[..., :3] - colours) * seen[..., 3:]
        light = cv2.GaussianBlur(gap[..., 0], (0, 0), 0.10 * self._half)[..., None]
        return colours * (0.25 + 0.75 * light)

    def _photographed_teeth(self, teeth: Teeth) -> NDArray[np.float32]:
        mask = np.zeros(teeth.image_HWC.shape[:2], np.float32)
        cv2.fillPoly(mask, [np.round(teeth.rim_N2 * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.5), np.float32)
        zoom = teeth.zoom * self._fine
        target = (self._middle + np.array([0, 0.06 * self._half])) * self._fine
        matrix = np.hstack([np.eye(2) * zoom, (target - zoom * teeth.edge)[:, None]])
        layer = np.dstack([teeth.image_HWC * 0.92, mask])
        warped = cv2.warpAffine(layer, matrix, self._size[::-1], flags=cv2.INTER_CUBIC)
        return np.asarray(warped, np.float32).clip(0, (255, 255, 255, 1))

    def _painted_teeth(self, upper: bool) -> NDArray[np.float32]:
        """The upper row is broader, its teeth larger, and it ends where the lower one begins."""
        x, y = self._axes()
        height, reach, tooth = (0.34, 0.70, 0.21) if upper else (0.26, 0.62, 0.155)
        top = (0.06 - height - 0.10 * x**2) if upper else (-0.03 + 0.22 * x**2)  # the row bends away to the sides
        shape = _step(y - top, 0.04) * _step(top + height - y, 0.08) * _step(reach - np.abs(x), 0.08)
        between = 1 - 0.22 * np.exp(-(((((x / tooth + 0.5) % 1) - 0.5) / 0.14) ** 2))
        return self._layer(_ENAMEL, between * (0.95 - 0.5 * np.abs(x)), shape)

    def _painted_tongue(self) -> NDArray[np.float32]:
        x, y = self._axes()
        away = np.hypot(x / 0.62, (y - 0.42) / 0.44)
        furrow = 1 - 0.15 * np.exp(-((x / 0.06) ** 2))
        return self._layer(_TONGUE, furrow * (1.1 - 0.45 * away), _step(1 - away, 0.25))

    def _axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y from the middle of the seam, in half widths of the mouth."""
        rows, columns = np.mgrid[: self._size[0], : self._size[1]]
        middle = (self._middle + 0.5) * self._fine - 0.5
        return (columns - middle[0]) / (self._half * self._fine), (rows - middle[1]) / (self._half * self._fine)

    @staticmethod
    def _layer(
        colour: tuple[float, float, float], shade: NDArray[np.float64], alpha: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        return np.dstack([shade[..., None] * colour, alpha]).astype(np.float32)


def _step(value: NDArray[np.float64], soft: float) -> NDArray[np.float64]:
    return np.clip(value / soft + 0.5, 0, 1)
