"""Closes eyes in the picture: the skin above each eye is drawn down over it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.landmarks.shape import EYES

# All lengths are in widths of the eye.
LEAST_SKIN, MOST_SKIN = 0.1, 0.22  # skin above an eye that is stretched
SKIN_STEP, SKIN_MARGIN = 0.02, 0.03  # steps of the search for skin, and the distance kept to a brow or glasses
DARK, LASHES_ONLY = 0.75, 0.4
"""Skin ends where brightness drops below this share of the skin under it. If the skin at `LEAST_SKIN` has less than
this share of the brightest skin, glasses cover the lid."""
RIM = 0.8
"""A line above the lashes is the rim of glasses if its brightness is at most this share of that on both sides."""
ABOVE, BELOW = 0.02, 0.05  # the lids begin and meet beyond dlib's points, which mark the edge of the white
LASHES = 0.06  # width of the lid's edge that moves without being stretched
SHADE = 0.3  # how much darker the lid's edge becomes
SMOOTH = 0.06  # standard deviation of the blur where a little skin is stretched far


def find_skin(picture_HWC: NDArray[np.uint8], points_68x2: NDArray[np.floating]) -> float | None:
    """Measure the skin above the eyes of a face in an RGB picture, in widths of an eye.

    Returns None if glasses or brows cover a lid.
    """
    skin = min(_skin_above(picture_HWC, points_68x2[eye].astype(np.float64)) for eye in EYES)
    return skin if skin >= LEAST_SKIN else None


def close_lids(
    frame_HWC: NDArray[np.uint8],
    picture_HWC: NDArray[np.uint8],
    points_68x2: NDArray[np.floating],
    skin: float,
    share: float,
) -> None:
    """Draw both upper lids into a frame of a picture (both RGB), in place, closed by ``share`` from 0 to 1.

    ``points_68x2`` are the face's points in pixels of the picture, and ``skin`` is the result of `find_skin`.
    """
    bounds = np.array(picture_HWC.shape[1::-1])
    for eye_62 in (points_68x2[eye].astype(np.float64) for eye in EYES):
        axes, width = _axes(eye_62)
        left, top = np.clip(np.floor(eye_62.min(axis=0) - 0.6 * width).astype(int), 0, bounds)
        right, bottom = np.clip(np.ceil(eye_62.max(axis=0) + 0.6 * width).astype(int), 0, bounds)
        if width < 2 or right <= left or bottom <= top:
            continue
        # u runs across the eye, 0 to 1 between its corners, and v down.
        columns, rows = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
        u, v = np.moveaxis((np.stack([columns, rows], axis=-1) - eye_62[0]) @ axes.T / width, -1, 0)
        inside = np.sin(np.pi * np.clip(u, 0, 1))
        upper, lower = (np.polyval(lid, u) for lid in _lids(eye_62, axes, width))
        upper, lower = upper - ABOVE * inside, lower + BELOW * inside
        down = share * np.maximum(lower - upper, 0) * (inside > 0)
        edge, above = upper + down, upper - skin
        lashes = min(LASHES, skin - 0.03)
        longer = (skin - lashes + down) / (skin - lashes)
        source = np.where(v < above, v, np.where(v < edge - lashes, above + (v - above) / longer, v - down))
        shift = ((source - v) * width)[..., None] * axes[1]
        part = frame_HWC[top:bottom, left:right]
        drawn = _sampled(picture_HWC, columns + shift[..., 0], rows + shift[..., 1]).astype(np.float32)
        smooth = cv2.GaussianBlur(drawn, (0, 0), SMOOTH * width)
        within = np.clip(np.minimum(v - above, edge - lashes - v) / 0.04, 0, 1)
        much = within * np.clip((longer - 2) / 2, 0, 1)
        drawn += (smooth - drawn) * much[..., None].astype(np.float32)
        dark = 1 - SHADE * share * np.sqrt(inside) * np.exp(-(((v - edge + 0.02) / 0.04) ** 2))
        shown = np.clip((edge - v) * width + 0.5, 0, 1) * (down > 0)
        part[:] = np.round(part + (drawn * dark[..., None] - part) * shown[..., None]).clip(0, 255)


def _axes(eye_62: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the eye's directions across and down as unit vectors in rows (2, 2), and its width."""
    across = eye_62[3] - eye_62[0]
    width = max(float(np.hypot(*across)), 1e-6)
    x, y = across / width
    return np.array([[x, y], [-y, x]]), width


def _lids(eye_62: NDArray[np.float64], axes: NDArray[np.float64], width: float) -> list[NDArray[np.float64]]:
    """Return cubics through the points of the upper and the lower lid, in the eye's axes and widths."""
    own = (eye_62 - eye_62[0]) @ axes.T / width
    return [np.polyfit(own[rows, 0], own[rows, 1], 3) for rows in ([0, 1, 2, 3], [0, 5, 4, 3])]


def _skin_above(picture_HWC: NDArray[np.uint8], eye_62: NDArray[np.float64]) -> float:
    axes, width = _axes(eye_62)
    upper, _ = _lids(eye_62, axes, width)
    u, distances = np.linspace(0.2, 0.8, 25), np.arange(0, MOST_SKIN + SKIN_MARGIN + SKIN_STEP / 2, SKIN_STEP)
    v = np.polyval(upper, u) - distances[:, None]
    places = eye_62[0] + width * np.stack([np.broadcast_to(u, v.shape), v], axis=-1) @ axes
    samples = _sampled(picture_HWC, places[..., 0], places[..., 1])
    levels = cv2.cvtColor(samples, cv2.COLOR_RGB2GRAY).mean(axis=1)
    first = round(LEAST_SKIN / SKIN_STEP)
    if levels[first] < LASHES_ONLY * levels.max():
        return 0.0
    dark = levels[first:] < DARK * np.maximum.accumulate(levels[first:])
    skin = float(distances[first + np.argmax(dark)] - SKIN_MARGIN) if dark.any() else MOST_SKIN
    sides = np.minimum(np.maximum.accumulate(levels), np.maximum.accumulate(levels[::-1])[::-1])
    rim = (levels < RIM * sides) & (distances >= LASHES - SKIN_STEP / 2) & (distances <= skin)
    return 0.0 if rim.any() else skin


def _sampled(picture_HWC: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint8]:
    x, y = x.astype(np.float32), y.astype(np.float32)
    return np.asarray(cv2.remap(picture_HWC, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)
