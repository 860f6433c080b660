"""What open lips show: the photograph's own upper teeth, and a painted tongue and lower teeth in the dark below."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.synthetic import anatomy as body
from pipeline.corpora.synthetic import outlines
from pipeline.corpora.synthetic.appearance import Appearance
from pipeline.corpora.synthetic.warp import Box, sample

_DARK = (46.0, 17.0, 18.0)
_TONGUE = (158.0, 78.0, 76.0)
_ENAMEL = (205.0, 196.0, 178.0)


class MouthInside:
    """The inside of one speaker's mouth, over the frame's ``box``, kept at ``fine`` texture pixels a frame pixel.

    Upper teeth move with the head, the rest with the jaw.
    """

    def __init__(
        self, image: NDArray[np.float32], appearance: Appearance, anatomy: body.Anatomy, box: Box, fine: int
    ) -> None:
        self._fine = fine
        self._corner = np.array([box[1].start, box[0].start], np.float32)
        self._size = ((box[0].stop - box[0].start) * self._fine, (box[1].stop - box[1].start) * self._fine)
        self._half = anatomy.half_width
        self._middle = anatomy.neutral[body.LOWER_INNER][4] - self._corner
        self._upper_teeth = self._photographed_teeth(image, appearance)
        self._lower_teeth = self._painted_teeth()
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

    def _photographed_teeth(self, image: NDArray[np.float32], appearance: Appearance) -> NDArray[np.float32]:
        rim = np.array([*outlines.UPPER_INNER, *reversed(outlines.LOWER_INNER)])
        mask = np.zeros(image.shape[:2], np.float32)
        cv2.fillPoly(mask, [np.round(rim * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.5), np.float32)
        zoom = body.SCALE * appearance.scale * appearance.shape.mouth_width * 0.92 * self._fine
        teeth_edge = np.array([222.3, 148.9])  # between the incisors, in the photograph
        target = (self._middle + np.array([0, 0.06 * self._half])) * self._fine
        matrix = np.hstack([np.eye(2) * zoom, (target - zoom * teeth_edge)[:, None]])
        layer = np.dstack([image * 0.92, mask])
        teeth = cv2.warpAffine(layer, matrix, self._size[::-1], flags=cv2.INTER_CUBIC)
        return np.asarray(teeth, np.float32).clip(0, (255, 255, 255, 1))

    def _painted_teeth(self) -> NDArray[np.float32]:
        x, y = self._axes()
        height, reach = 0.26, 0.62
        top = -0.03 + 0.22 * x**2  # the row bends down to the sides
        shape = _step(y - top, 0.04) * _step(top + height - y, 0.08) * _step(reach - np.abs(x), 0.08)
        between = 1 - 0.22 * np.exp(-(((((x / 0.155 + 0.5) % 1) - 0.5) / 0.14) ** 2))
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
