"""Control points of a face: their positions for a speaker, and how each movement of the mouth shifts them.

A frame is composed of two layers that differ only around the lips: one has the upper lip, the other the lower lip. In
the neutral pose the lips are closed and the layers meet at the seam. An open mouth parts them and shows the inside.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic import outlines
from pipeline.synthetic.photo import Points, photo
from pipeline.synthetic.speakers import Appearance, Shape

SCALE = 1.25
"""Frame pixels per photograph pixel, before the speaker's scale."""
_ORIGIN = np.array([83.0, -4.0])  # photograph pixel at the frame's top left corner
_ANCHOR = np.array([226.0, 230.0])  # photograph pixel that scaling leaves in place

# Rows of the array of control points.
JAW, BROWS, NOSE, EYES = slice(0, 17), slice(17, 27), slice(27, 36), slice(36, 48)
LIPS = slice(48, 86)
CORNERS = slice(48, 50)
UPPER_OUTER, UPPER_INNER = slice(50, 59), slice(59, 68)
LOWER_INNER, LOWER_OUTER = slice(68, 77), slice(77, 86)
CHEEKS = slice(86, 94)
HAIR = slice(94, 105)
NECK, COLLAR, ABOVE, RIM = slice(105, 108), slice(108, 121), slice(121, 128), slice(128, 135)

AROUND = np.array([
    # hair
    (160, 112), (152, 85), (160, 50), (187, 30), (228, 14), (265, 21), (292, 45), (302, 85), (290, 122), (200, 76),
    (250, 86),
    # neck and collar
    (186, 184), (222, 192), (252, 190), (120, 180), (140, 165), (160, 150), (160, 190), (190, 207), (222, 210),
    (255, 207), (285, 180), (290, 205), (300, 150), (110, 205), (150, 215), (325, 215),
    # above the head and at the rim of the photograph
    (60, 0), (140, 0), (227, -8), (310, 0), (400, 0), (60, 60), (400, 60),
    (60, 120), (400, 120), (60, 190), (400, 190), (110, 250), (227, 250), (350, 250),
], np.float64)  # fmt: skip
"""The control points beyond the face (41, 2), in photograph pixels."""

# Control points of the two layers; each leaves out the other's lip.
UPPER_LAYER = np.delete(np.arange(135), np.r_[LOWER_INNER, LOWER_OUTER])
LOWER_LAYER = np.delete(np.arange(135), np.r_[UPPER_OUTER, UPPER_INNER])

MOVES = ("jaw", "width", "rounding", "closure", "tuck", "brows")
_OPENING = 0.62  # largest opening, in half widths of the mouth


@dataclass(frozen=True)
class Anatomy:
    """The control points of a face, and its movements."""

    photographed: Points
    """Control points (135, 2) in photograph pixels."""
    neutral: Points
    """The same at rest, in frame pixels."""
    moves_KN2: Points
    """For each of `moves` at 1: the shift of every control point, (K, 135, 2) in frame pixels."""
    half_width: float
    """Half the mouth's width at rest."""

    @property
    def moves(self) -> tuple[str, ...]:
        """`MOVES`, and `smile` if the face has it: the photographed mouth in place of closed lips."""
        return MOVES if len(self.moves_KN2) == len(MOVES) else (*MOVES, "smile")


def anatomy(appearance: Appearance) -> Anatomy:
    """The face of a speaker of the sample corpus."""
    points, corners = photo().points_68, np.array(outlines.CORNERS)
    lips = (outlines.UPPER_OUTER, outlines.UPPER_INNER, outlines.LOWER_INNER, outlines.LOWER_OUTER)
    cheeks = cheeks_of(points, *corners)
    cheeks[6:] += ((-3, 0), (3, 0))
    photographed = np.concatenate([points[:48], corners, *map(np.array, lips), cheeks, AROUND])
    shaped = _shaped(_neutral(photographed), appearance.shape)
    neutral = (_ANCHOR + (shaped - _ANCHOR) * appearance.scale - _ORIGIN) * SCALE
    half_width = float(neutral[CORNERS][1, 0] - neutral[CORNERS][0, 0]) / 2
    return Anatomy(photographed, neutral, moves_of(neutral, half_width), half_width)


def cheeks_of(points_68: Points, right: Points, left: Points) -> Points:
    """The control points of the cheeks (8, 2), between dlib's points and the corners of the mouth."""
    from_right, from_left = points_68[[2, 4, 5, 31]], points_68[[14, 12, 11, 35]]
    cheeks = 0.5 * np.concatenate([from_right + right, from_left + left])
    return np.asarray(cheeks[[0, 1, 2, 4, 5, 6, 3, 7]])


def _neutral(points: Points) -> Points:
    """Replace the photographed smile by closed lips, which are narrower and a little fuller."""
    neutral = points.copy()
    left, right = points[CORNERS]
    middle = (left + right) / 2
    slope = (right - left) / np.linalg.norm(right - left)
    half, seam = 18.2, 6.6  # photograph pixels: half the mouth's width; the seam's distance below the smile's corners

    def place(rows: slice, height: float) -> None:
        across = np.linspace(-1, 1, 11)[1:-1]
        bow = 1 - across**2
        dip = np.exp(-((across / 0.12) ** 2)) if height < 0 else 0.0  # Cupid's bow
        down = seam + 0.4 * bow + height * np.sqrt(bow) + 0.9 * dip
        neutral[rows] = middle + across[:, None] * half * slope + down[:, None] * (0, 1)

    neutral[CORNERS] = middle + np.array([[-half], [half]]) * slope + (0, seam)
    place(UPPER_OUTER, -4.1)
    place(UPPER_INNER, 0.0)
    place(LOWER_INNER, 0.0)
    place(LOWER_OUTER, 4.9)
    # Cheeks are lower without the smile.
    neutral[CHEEKS] += np.array([[2.0, 1.5]] * 3 + [[-2.0, 1.5]] * 3 + [[1.0, 2.0], [-1.0, 2.0]]) * 0.6
    return neutral


def _shaped(points: Points, shape: Shape) -> Points:
    """Apply a speaker's proportions."""
    shaped = points.copy()

    def resize(rows: slice, centre: Points, x: float, y: float) -> None:
        shaped[rows] = centre + (shaped[rows] - centre) * (x, y)

    nose_base = shaped[33].copy()
    face = points[27].copy()
    for rows in (JAW, CHEEKS):
        resize(rows, face, shape.face_width, 1)
    for rows in (JAW, CHEEKS, LIPS):  # the face below the nose
        below = np.clip((shaped[rows][:, 1] - nose_base[1]) / (points[8, 1] - nose_base[1]), 0, 1)
        shaped[rows, 1] += below * (shape.chin - 1) * (points[8, 1] - nose_base[1])
    for eye, brow in ((slice(36, 42), slice(17, 22)), (slice(42, 48), slice(22, 27))):
        centre = shaped[eye].mean(0)
        resize(eye, centre, shape.eye_size, shape.eye_size)
        shift = (centre[0] - face[0]) * (shape.eye_distance - 1)
        shaped[eye, 0] += shift
        shaped[brow] += (shift, -shape.brow_lift * (points[16, 0] - points[0, 0]))
    resize(NOSE, points[27], shape.nose_width, shape.nose_length)
    resize(LIPS, shaped[CORNERS].mean(0), shape.mouth_width, shape.lip_fullness)
    resize(HAIR, points[27] + (0, 25), 0.5 * (shape.hair_volume + shape.face_width), shape.hair_volume)
    return shaped


def moves_of(neutral: Points, half_width: float) -> Points:
    """`Anatomy.moves_KN2` for the points at rest ``neutral``, in their pixels."""
    moves_KN2 = np.zeros((len(MOVES), *neutral.shape))
    moves = dict(zip(MOVES, moves_KN2, strict=True))
    middle = neutral[CORNERS].mean(0)
    across = np.clip((neutral[LOWER_INNER, 0] - middle[0]) / half_width, -1, 1)
    bow = (1 - np.abs(across) ** 2.4) ** 0.75

    jaw, opening = moves["jaw"][:, 1], _OPENING * half_width
    one_side = (0, 0, 0.04, 0.16, 0.34, 0.53, 0.64, 0.70)
    jaw[JAW] = opening * np.array([*one_side, 0.72, *reversed(one_side)])
    jaw[CORNERS] = 0.22 * opening
    jaw[LOWER_INNER] = opening * (0.22 + 0.62 * bow)
    jaw[LOWER_OUTER] = opening * (0.24 + 0.55 * bow)
    jaw[UPPER_INNER] = opening * (0.22 - 0.38 * bow)
    jaw[UPPER_OUTER] = opening * (0.12 - 0.22 * bow)
    jaw[CHEEKS] = opening * np.array([0.06, 0.22, 0.4, 0.06, 0.22, 0.4, 0.04, 0.04])
    jaw[NECK] = 0.35 * opening

    width = moves["width"][:, 0]
    width[CORNERS] = (-half_width, half_width)
    for rows in (UPPER_OUTER, UPPER_INNER, LOWER_INNER, LOWER_OUTER):
        width[rows] = across * half_width
    width[CHEEKS] = half_width * np.array([-0.3, -0.35, -0.3, 0.3, 0.35, 0.3, -0.4, 0.4])
    moves["width"][CORNERS, 1] = -0.12 * half_width

    moves["rounding"][UPPER_OUTER, 1] = -0.09 * half_width * bow
    moves["rounding"][LOWER_OUTER, 1] = 0.12 * half_width * bow
    moves["closure"][UPPER_OUTER, 1] = 0.07 * half_width * bow
    moves["closure"][LOWER_OUTER, 1] = -0.10 * half_width * bow
    moves["tuck"][LOWER_INNER, 1] = -0.08 * half_width * bow
    moves["tuck"][LOWER_OUTER, 1] = -0.13 * half_width * bow
    moves["brows"][BROWS, 1] = -1.0
    return moves_KN2
