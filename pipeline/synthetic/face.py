"""Rendering: a photograph is reshaped once, then warped for every frame."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic import anatomy as body
from pipeline.synthetic import warp
from pipeline.synthetic.features import Lids, MouthInside
from pipeline.synthetic.subject import Subject, lit
from pipeline.synthetic.warp import Box, Field

FINE = 2
"""Texture pixels per frame pixel, so that sampling twice does not blur."""
_HEAD_MOVES = ("x", "y", "roll", "zoom", "yaw", "pitch")


@dataclass(frozen=True)
class Pose:
    """Mouth and head in one frame. The mouth has the units of `Viseme`; shifts are frame pixels, angles radians."""

    opening: float = 0.0
    width: float = 0.0
    rounding: float = 0.0
    closure: float = 0.0
    tuck: float = 0.0
    tongue: float = 0.0
    smile: float = 0.0
    """0: closed lips at rest; 1: the mouth of the photograph, if it shows teeth."""
    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0
    zoom: float = 0.0
    """0.01 is 1% larger."""
    yaw: float = 0.0
    """Shift of the nose against the outline of the face, pixels."""
    pitch: float = 0.0
    brows: float = 0.0
    """Pixels upwards."""
    blink: float = 0.0
    """0 open, 1 closed."""


@dataclass(frozen=True)
class MouthSize:
    """The posed mouth in frame pixels; ``opening`` is the mean distance of the inner lips around the middle."""

    opening: float
    width: float


class Face:
    """Renders one subject. Construction takes about half a second, a frame about 6 ms."""

    def __init__(self, subject: Subject) -> None:
        self._mirrored = subject.mirrored
        self._anatomy = anatomy = subject.anatomy
        self._upper, self._lower = map(self._fields, (body.UPPER_LAYER, body.LOWER_LAYER))
        self._head = self._head_fields()

        image = np.dstack([subject.image_HWC, subject.person_HW * np.float32(255)])
        upper, lower = (self._texture(image, layer) for layer in (body.UPPER_LAYER, body.LOWER_LAYER))
        nose, reach = anatomy.neutral[30] * FINE, float(anatomy.neutral[16, 0] - anatomy.neutral[0, 0]) * FINE / 2
        self._seam = self._seam_height(upper.shape[:2])
        # The line between closed lips is dark.
        near = np.exp(-((self._seam / (0.05 * anatomy.half_width * FINE)) ** 2)) * self._between_corners(0.25)
        for texture in (upper, lower):
            texture[..., :3] = lit(texture[..., :3], subject.light, (nose[0], nose[1]), reach)
            texture[..., :3] *= 1 - 0.6 * near[..., None]
        self._lids = Lids(upper[..., :3], anatomy.neutral, FINE)
        self._upper_texture, self._lower_texture = (np.round(part).astype(np.uint8) for part in (upper, lower))
        self._background = np.round(subject.background_HWC).astype(np.uint8)
        self._box = self._mouth_box()
        self._lips = self._lip_masks()
        self._inside = MouthInside(subject.teeth, subject.mouth, anatomy, self._box, FINE)

    def render(self, pose: Pose) -> tuple[NDArray[np.uint8], MouthSize]:
        """The RGB frame (288, 360, 3), and the true size of its mouth."""
        # Lips can be pursed further than spread.
        named = {"jaw": pose.opening, "width": pose.width * (0.13 if pose.width > 0 else 0.22)}
        weights_K = np.array([named.get(name, getattr(pose, name, 0.0)) for name in self._anatomy.moves], np.float32)
        head = _sum(np.array([getattr(pose, name) for name in _HEAD_MOVES], np.float32), self._head)
        rows, columns = (slice(part.start // warp.CELL, part.stop // warp.CELL) for part in self._box)
        whole, near_mouth = (slice(None), slice(None)), (rows, columns)
        upper_map = warp.enlarge(warp.inverse_map(_sum(weights_K, self._upper) + head, whole))
        lower_map = warp.enlarge(warp.inverse_map(_sum(weights_K, self._lower) + head, near_mouth))
        inside_map = warp.enlarge(warp.inverse_map(head, near_mouth))

        with self._lids.closed(self._upper_texture, pose.blink):
            frame = warp.sample(self._upper_texture, upper_map, FINE)
        lower = warp.sample(self._lower_texture, lower_map, FINE)[..., :3].astype(np.float32)
        below_upper, between = np.split(warp.sample(self._lips, upper_map[self._box], FINE), 2, axis=-1)
        upper_share, lower_share = 1 - below_upper, warp.sample(self._lips, lower_map, FINE)[..., :1]
        gap = np.clip(1 - upper_share - lower_share, 0, 1) * between
        points = self._anatomy.neutral + np.einsum("k,knc->nc", weights_K, self._anatomy.moves_KN2)
        jaw = float(points[body.LOWER_INNER][4, 1] - self._anatomy.neutral[body.LOWER_INNER][4, 1])
        inside = self._inside.render(inside_map, jaw, pose.tongue, gap)
        colours = upper_share * frame[self._box][..., :3] + lower_share * lower + gap * inside
        frame[self._box][..., :3] = np.round(colours / (upper_share + lower_share + gap)).clip(0, 255)

        person = frame[..., 3] / np.float32(255)
        picture = cv2.blendLinear(cv2.cvtColor(frame, cv2.COLOR_RGBA2RGB), self._background, person, 1 - person)
        if self._mirrored:
            picture = cv2.flip(picture, 1)
        gaps = points[body.LOWER_INNER][3:6, 1] - points[body.UPPER_INNER][3:6, 1]
        left, right = points[body.CORNERS]
        opening, width = np.clip(gaps, 0, None).mean(), np.linalg.norm(right - left)
        size = MouthSize(float(opening * (1 + pose.zoom)), float(width * (1 + pose.zoom)))
        return np.asarray(picture, np.uint8), size

    def _fields(self, layer: NDArray[np.int64]) -> NDArray[np.float32]:
        values = np.moveaxis(self._anatomy.moves_KN2[:, layer], 0, 1).reshape(len(layer), -1)
        fields = warp.interpolate(self._anatomy.neutral[layer], values)
        return fields.reshape(len(self._anatomy.moves), 2, warp.GRID_H, warp.GRID_W)

    def _head_fields(self) -> NDArray[np.float32]:
        """A field for each head movement at 1. The body follows less with its distance from the head."""
        points = self._anatomy.neutral
        share = np.ones(len(points))
        for rows, follows in ((body.NECK, 0.7), (body.COLLAR, 0.2), (body.RIM, 0.15), (body.ABOVE, 0.6)):
            share[rows] = follows
        layer = body.UPPER_LAYER  # either: at rest they agree
        weight = np.clip(warp.interpolate(points[layer], share[layer, None])[0], 0, 1)
        x, y = np.moveaxis(warp.grid_points().reshape(warp.GRID_H, warp.GRID_W, 2), -1, 0)
        pivot, nose = points[8] + (0, 15), points[30]
        half = (points[16, 0] - points[0, 0]) / 2
        depth = np.exp(-(((x - nose[0]) / half) ** 2 + ((y - nose[1]) / half) ** 2) / 0.9)
        none = np.zeros_like(x)
        fields = {
            "x": (weight, none),
            "y": (none, weight),
            "roll": (-(y - pivot[1]) * weight, (x - pivot[0]) * weight),
            "zoom": ((x - pivot[0]) * weight, (y - pivot[1]) * weight),
            "yaw": (depth, none),
            "pitch": (none, depth),
        }
        return np.asarray(np.round(np.array([fields[name] for name in _HEAD_MOVES]), 3), np.float32)

    def _texture(self, image: NDArray[np.float32], layer: NDArray[np.int64]) -> NDArray[np.float32]:
        """The photograph in the speaker's neutral shape, ``FINE`` pixels per frame pixel."""
        back = warp.interpolate(self._anatomy.neutral[layer], self._anatomy.photographed[layer])
        source = warp.enlarge(np.moveaxis(back, 0, -1).copy(), FINE * warp.WIDTH // warp.GRID_W)
        return np.asarray(warp.sample(image, source, 1, cv2.INTER_CUBIC).clip(0, 255), np.float32)

    def _seam_height(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Distance of each texture pixel below the line where the lips meet, in texture pixels."""
        corners, seam = self._anatomy.neutral[body.CORNERS], self._anatomy.neutral[body.LOWER_INNER]
        line = (np.concatenate([corners[:1], seam, corners[1:]]) + 0.5) * FINE - 0.5
        heights = np.interp(np.arange(shape[1]), line[:, 0], line[:, 1])
        return (np.arange(shape[0])[:, None] - heights).astype(np.float32)

    def _between_corners(self, soft: float) -> NDArray[np.float32]:
        """One value per texture column: 0 beside the mouth, 1 from ``soft`` half widths inside its corners."""
        corners = (self._anatomy.neutral[body.CORNERS] + 0.5) * FINE - 0.5
        columns = np.arange(FINE * warp.WIDTH)
        away = np.maximum(corners[0, 0] - columns, columns - corners[1, 0])
        return np.asarray(np.clip(-away / (soft * self._anatomy.half_width * FINE), 0, 1), np.float32)

    def _mouth_box(self) -> Box:
        """The part of the frame where the layers can differ, in whole grid cells."""
        x, y = self._anatomy.neutral[body.CORNERS].mean(0)
        half, chin = self._anatomy.half_width, self._anatomy.neutral[8, 1]
        rows, columns = (y - 1.6 * half, min(warp.HEIGHT, chin + half)), (x - 2.4 * half, x + 2.4 * half)
        top, bottom, left, right = (int(edge) // warp.CELL * warp.CELL for edge in (*rows, *columns))
        return slice(top, bottom), slice(left, right)

    def _lip_masks(self) -> NDArray[np.float32]:
        """Masks (H, W, 2) of a texture's size: the lower layer's part, and the part that can open."""
        below = np.clip(self._seam / FINE + 0.5, 0, 1)
        inner = np.zeros_like(below)
        rows, columns = (slice(part.start * FINE, part.stop * FINE) for part in self._box)
        margin = int(0.5 * self._anatomy.half_width) * FINE
        inner[rows.start + margin : rows.stop - margin, columns.start + margin : columns.stop - margin] = 1
        between = np.broadcast_to(self._between_corners(0.06), below.shape)
        return np.dstack([below * cv2.GaussianBlur(inner, (0, 0), margin / 3), between])


def _sum(weights_K: NDArray[np.float32], fields: NDArray[np.float32]) -> Field:
    # Without BLAS, whose last bits depend on the number of threads.
    return np.asarray(np.einsum("k,kchw->chw", weights_K, fields), np.float32)
