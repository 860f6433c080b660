"""Details that a photograph with closed lips and open eyes lacks: the inside of the mouth, and closed lids."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic import anatomy as body
from pipeline.synthetic.photo import Points, filled
from pipeline.synthetic.warp import Box, sample

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class MouthColours:
    """Colours of the inside of a mouth, RGB 0 to 255."""

    dark: Colour
    tongue: Colour
    enamel: Colour
    light: float
    """The share of the light that reaches the edges of the opening, 0 to 1."""


STUDIO_MOUTH = MouthColours((46.0, 17.0, 18.0), (158.0, 78.0, 76.0), (205.0, 196.0, 178.0), 0.25)
"""The sample corpus's."""


def mouth_colours(skin: float) -> MouthColours:
    """Colours in the light of a photograph whose skin around the mouth has the mean level ``skin``, 0 to 255.

    Chosen by eye beside frames of GRID: teeth are as bright as the skin, and the inside is brown, not black.
    """

    def lit(red: float, green: float, blue: float) -> Colour:
        return red * skin, green * skin, blue * skin

    return MouthColours(lit(0.42, 0.22, 0.20), lit(0.95, 0.50, 0.47), lit(1.25, 1.18, 1.05), light=0.75)


@dataclass(frozen=True)
class Teeth:
    """Upper teeth in a photograph, in its pixels."""

    image_HWC: NDArray[np.float32]
    """The photograph, RGB 0 to 255."""
    rim_N2: Points
    """Outline of the opening that shows them."""
    edge: Points
    """The lower end (2,) of the line between the incisors."""
    zoom: float
    """Frame pixels per photograph pixel."""
    brightness: float = 0.92
    """Factor of the teeth's colours."""


class MouthInside:
    """Teeth, tongue and dark inside of one subject's mouth. Upper teeth move with the head, the rest with the jaw."""

    def __init__(self, teeth: Teeth | None, colours: MouthColours, anatomy: body.Anatomy, box: Box, fine: int) -> None:
        """Prepare the layers for ``box``, the rendered part of the frame, with ``fine`` texture pixels per frame pixel.

        ``teeth`` are the photographed upper teeth; None paints them.
        """
        self._fine, self._colours = fine, colours
        self._corner = np.array([box[1].start, box[0].start], np.float32)
        self._size = ((box[0].stop - box[0].start) * self._fine, (box[1].stop - box[1].start) * self._fine)
        self._half = anatomy.half_width
        self._middle = anatomy.neutral[body.LOWER_INNER][4] - self._corner
        self._upper_teeth = self._painted_teeth(upper=True) if teeth is None else self._photographed_teeth(teeth)
        self._lower_teeth = self._painted_teeth(upper=False)
        self._tongue = self._painted_tongue()

    def render(
        self, map_HW2: NDArray[np.float32], jaw: float, tongue: float, gap: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The inside of the mouth, RGB float32 (H, W, 3), for the head's motion ``map_HW2``.

        ``jaw`` is its shift downwards in pixels, ``tongue`` how far the tip is up (0 to 1). The middle of ``gap``, a
        mask (H, W, 1) of the opening, gets more light than its edges.
        """
        colours: NDArray[np.float32] = np.full((*map_HW2.shape[:2], 3), self._colours.dark, np.float32)
        tongue_down = 0.62 * jaw - 0.25 * self._half * tongue
        for layer, down in ((self._tongue, tongue_down), (self._lower_teeth, 0.97 * jaw), (self._upper_teeth, 0.0)):
            part = sample(layer, map_HW2 - self._corner - np.array([0, down], np.float32), self._fine)
            colours = colours + (part[..., :3] - colours) * part[..., 3:]
        light = cv2.GaussianBlur(gap[..., 0], (0, 0), 0.10 * self._half)[..., None]
        least = self._colours.light
        return colours * (least + (1 - least) * light)

    def _photographed_teeth(self, teeth: Teeth) -> NDArray[np.float32]:
        mask = filled([teeth.rim_N2], teeth.image_HWC.shape[:2], 0.5)
        zoom = teeth.zoom * self._fine
        target = (self._middle + np.array([0, 0.06 * self._half])) * self._fine
        matrix = np.hstack([np.eye(2) * zoom, (target - zoom * teeth.edge)[:, None]])
        layer = np.dstack([teeth.image_HWC * teeth.brightness, mask])
        warped = cv2.warpAffine(layer, matrix, self._size[::-1], flags=cv2.INTER_CUBIC)
        return np.asarray(warped, np.float32).clip(0, (255, 255, 255, 1))

    def _painted_teeth(self, upper: bool) -> NDArray[np.float32]:
        """A row of teeth. The upper row is broader, has larger teeth, and ends where the lower one begins."""
        x, y = self._axes()
        height, reach, tooth = (0.34, 0.70, 0.21) if upper else (0.26, 0.62, 0.155)
        top = (0.06 - height - 0.10 * x**2) if upper else (-0.03 + 0.22 * x**2)  # the row curves
        shape = _step(y - top, 0.04) * _step(top + height - y, 0.08) * _step(reach - np.abs(x), 0.08)
        between = 1 - 0.22 * np.exp(-(((((x / tooth + 0.5) % 1) - 0.5) / 0.14) ** 2))
        return _layer(self._colours.enamel, between * (0.95 - 0.5 * np.abs(x)), shape)

    def _painted_tongue(self) -> NDArray[np.float32]:
        x, y = self._axes()
        away = np.hypot(x / 0.62, (y - 0.42) / 0.44)
        furrow = 1 - 0.15 * np.exp(-((x / 0.06) ** 2))
        return _layer(self._colours.tongue, furrow * (1.1 - 0.45 * away), _step(1 - away, 0.25))

    def _axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y relative to the middle of the seam, in half widths of the mouth."""
        rows, columns = np.mgrid[: self._size[0], : self._size[1]]
        middle = (self._middle + 0.5) * self._fine - 0.5
        return (columns - middle[0]) / (self._half * self._fine), (rows - middle[1]) / (self._half * self._fine)


def _layer(colour: tuple[float, ...], shade: NDArray[np.float64], alpha: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.dstack([shade[..., None] * colour, alpha]).astype(np.float32)


def _step(value: NDArray[np.float64], soft: float) -> NDArray[np.float64]:
    return np.clip(value / soft + 0.5, 0, 1)


class _Eye(NamedTuple):
    box: Box
    open: NDArray[np.uint8]
    shut: NDArray[np.float32]
    """The eye painted over with the surrounding skin."""
    inside: NDArray[np.float32]
    """1 within the lids, with a soft edge."""
    down: NDArray[np.float32]
    """0 at the upper lid, 1 at the lower lid."""


class Lids:
    """The lids of both eyes, painted into a texture. A lid is the face's own skin, drawn down over the eye."""

    def __init__(self, texture: NDArray[np.float32], points: NDArray[np.float64], fine: int) -> None:
        """``points`` are dlib's, in frame pixels; the texture has ``fine`` pixels per frame pixel."""
        self._eyes = [_eye(texture, (points[rows] + 0.5) * fine - 0.5) for rows in (slice(36, 42), slice(42, 48))]

    @contextmanager
    def closed(self, texture: NDArray[np.uint8], blink: float) -> Iterator[None]:
        """Close the lids in ``texture`` by ``blink`` (0 to 1) within this context."""
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
    start, end = lids_62[0, 0], lids_62[3, 0]
    width = end - start
    left, right = int(start - 0.3 * width), int(end + 0.3 * width)
    top, bottom = int(lids_62[:, 1].min() - 0.35 * width), int(lids_62[:, 1].max() + 0.35 * width)
    box = (slice(top, bottom), slice(left, right))
    columns, rows = np.arange(left, right), np.arange(top, bottom)[:, None]
    # dlib's points mark the white of the eye; the lashes lie outside.
    upper = np.interp(columns, *lids_62[[0, 1, 2, 3]].T) - 0.11 * width
    lower = np.interp(columns, *lids_62[[0, 5, 4, 3]].T) + 0.05 * width
    across = np.minimum(columns - start + 0.14 * width, end + 0.14 * width - columns)
    inside = ((rows > upper) & (rows < lower) & (across > 0)).astype(np.uint8)

    eye = np.round(texture[box]).clip(0, 255).astype(np.uint8)
    painted = cv2.inpaint(eye, cv2.dilate(inside, np.ones((5, 5), np.uint8)), 5, cv2.INPAINT_TELEA)
    shut = np.asarray(cv2.GaussianBlur(painted.astype(np.float32), (0, 0), 2.0), np.float32)
    soft = np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.2), np.float32)
    return _Eye(box, eye, shut, soft, ((rows - upper) / np.maximum(lower - upper, 1)).astype(np.float32))
