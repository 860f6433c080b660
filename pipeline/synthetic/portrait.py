"""A user's photograph as a subject: find the face, check it, and close its lips."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from pipeline.faces.detect import Box
from pipeline.faces.select import choose_face
from pipeline.faces.shape_predictor import predict_landmarks
from pipeline.landmarks.points import STABLE
from pipeline.landmarks.similarity import apply_similarity, fit_similarity
from pipeline.media.picture import read_picture
from pipeline.runtime.errors import PipelineError
from pipeline.synthetic import anatomy as body
from pipeline.synthetic.features import Teeth, mouth_colours
from pipeline.synthetic.photo import Points, filled, photo
from pipeline.synthetic.speakers import Light
from pipeline.synthetic.subject import Subject
from pipeline.synthetic.warp import HEIGHT, WIDTH

SMALLEST_FACE = 70
"""Smallest width of the face's box in pixels; a smaller face would be blurred."""
FRONTAL = 0.6
"""Smallest `frontality`; a face turned further would be distorted."""
_OUTSIDE = 0.05  # largest share of the crop outside the photograph
_EYES = ((138.0, 132.0), (222.0, 132.0))  # outer corners of the eyes in a frame
# Height of the mouth's opening over its width:
_SHOWN = 0.05  # teeth are visible from here
_SMILE = 0.10  # a full smile
_WIDE = 0.30  # more than any smile
_TILT = 0.06  # largest slope of a mouth whose teeth another face gets
_ACROSS = np.linspace(-1, 1, 11)[1:-1]


class Unusable(ValueError):
    """The photograph cannot be used. The text is the reason, for the table of photographs."""


@dataclass(frozen=True)
class Portrait:
    """A photograph of a frontal face."""

    image_HWC: NDArray[np.uint8]
    points_68: Points
    """dlib's points in pixels of the photograph."""
    gap: float
    """Height of the mouth's opening over its width."""

    @property
    def shows_teeth(self) -> bool:
        """Whether the mouth is open far enough."""
        return self.gap >= _SHOWN

    @property
    def can_give_teeth(self) -> bool:
        """Whether another face can have this one's teeth: it shows the whole upper row, and it is upright."""
        across, down = self.points_68[54] - self.points_68[48]
        return self.gap >= _SMILE and abs(down) < _TILT * across


def read_portrait(path: Path) -> Portrait:
    """Read a photograph, reduced to the resolution of a frame. Raises Unusable with the reason."""
    try:
        image = read_picture(path)
    except PipelineError as error:
        raise Unusable(error.without_subject) from None
    chosen = choose_face(image)
    if chosen is None:
        raise Unusable("no face found")
    side = chosen.box.right - chosen.box.left
    if side < SMALLEST_FACE:
        raise Unusable(f"the face is {side:.0f} pixels wide, and {SMALLEST_FACE} are needed")
    if chosen.frontal < FRONTAL:
        raise Unusable("the face is turned to the side")
    if not chosen.whole or chosen.outside > _OUTSIDE:
        raise Unusable("the face reaches the edge of the picture")
    return portrait_of(image, _averaged_points(image, chosen.box))


def portrait_of(image: NDArray[np.uint8], points: Points) -> Portrait:
    """The portrait of the face with dlib's ``points``, reduced to the resolution of a frame.

    Raises Unusable if its mouth is wide open.
    """
    inner = points[[67, 66, 65], 1] - points[[61, 62, 63], 1]
    gap = float(max(0.0, inner.mean()) / np.linalg.norm(points[54] - points[48]))
    if gap > _WIDE:
        raise Unusable("the mouth is wide open")
    # Reduce a large photograph, because sampling it sparsely would alias.
    share = 2.0 / max(2.0, _eye_distance(points) / (_EYES[1][0] - _EYES[0][0]))
    if share < 1.0:
        smaller = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        image, points = np.asarray(smaller, np.uint8), (points + 0.5) * share - 0.5
    return Portrait(image, points, gap)


def portrait_subject(portrait: Portrait, light: Light, mirrored: bool, donor: Portrait | None = None) -> Subject:
    """The photographed person with closed lips.

    A photograph without visible teeth gets the upper teeth of ``donor``, which shows them; None paints teeth.
    """
    photographed = _control_points(portrait.points_68)
    smile = float(np.clip(portrait.gap / _SMILE, 0, 1))
    to_frame = fit_similarity(portrait.points_68[[36, 45]], np.array(_EYES))
    neutral = apply_similarity(to_frame, _closed(photographed, smile))
    half_width = float(np.linalg.norm(np.diff(neutral[body.CORNERS], axis=0))) / 2
    moves_KN2 = body.moves_of(neutral, half_width)
    if portrait.shows_teeth:
        moves_KN2 = np.concatenate([moves_KN2, [apply_similarity(to_frame, photographed) - neutral]])
    anatomy = body.Anatomy(photographed, neutral, moves_KN2, half_width)
    image = portrait.image_HWC.astype(np.float32)
    skin, teeth = _skin_level(portrait), None
    if portrait.shows_teeth:
        teeth = _teeth(portrait, 0.95 * float(np.hypot(*to_frame[:, 0])), brightness=1.1)
    elif donor is not None:
        donor_width = float(np.linalg.norm(np.diff(donor.points_68[[48, 54]], axis=0)))
        teeth = _teeth(donor, 2 * half_width / donor_width, brightness=1.1 * skin / _skin_level(donor))
    person, background = np.ones(image.shape[:2], np.float32), np.zeros((HEIGHT, WIDTH, 3), np.float32)
    return Subject(anatomy, image, person, background, teeth, mouth_colours(skin), light, mirrored)


def _teeth(portrait: Portrait, zoom: float, brightness: float) -> Teeth:
    """The teeth that the photograph shows; ``zoom`` as in `Teeth`."""
    points = _control_points(portrait.points_68)
    (right, left), upper, lower = (points[rows] for rows in (body.CORNERS, body.UPPER_INNER, body.LOWER_INNER))
    rim = np.concatenate([[right], upper, [left], lower[::-1]])
    return Teeth(portrait.image_HWC.astype(np.float32), rim, 0.9 * lower[4] + 0.1 * upper[4], zoom, brightness)


def _skin_level(portrait: Portrait) -> float:
    """The mean level of the skin between nose and cheeks, 0 to 255; at least 30."""
    outline = portrait.points_68[[31, 35, 54, 48]]
    mask = filled([outline + (outline - outline.mean(axis=0)) * 0.3], portrait.image_HWC.shape[:2], 0.5)
    outside_lips = mask * (1 - filled([portrait.points_68[48:60]], portrait.image_HWC.shape[:2], 0.5))
    return max(30.0, float(np.average(portrait.image_HWC.mean(axis=2), weights=outside_lips + 1e-9)))


def _eye_distance(points: Points) -> float:
    return float(np.linalg.norm(points[45] - points[36]))


def _averaged_points(image_HWC: NDArray[np.uint8], box: Box) -> Points:
    """The median of the points over 15 boxes that differ in size and position, on the face scaled to 300 pixels.

    The predictor starts from the box and compares single pixels, so one prediction varies by a pixel.
    """
    side = box.right - box.left
    zoom = 300 / side
    left, top = (max(0, int(edge - 0.6 * side)) for edge in (box.left, box.top))
    part = image_HWC[top : int(box.bottom + 0.6 * side), left : int(box.right + 0.6 * side)]
    method = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    enlarged = np.asarray(cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=method), np.uint8)
    whole = np.array([box.left - left, box.top - top, box.right - left, box.bottom - top]) * zoom
    boxes = [
        Box(*map(float, whole + np.array([x, y, x, y]) + np.array([-grow, -grow, grow, grow])))
        for grow in (-9, 0, 9)
        for x, y in ((0, 0), (-9, 0), (9, 0), (0, -9), (0, 9))
    ]
    points = predict_landmarks([enlarged] * len(boxes), boxes).astype(np.float64)
    return np.asarray((np.median(points, axis=0) + 0.5) / zoom - 0.5 + (left, top))


def _control_points(points_68: Points) -> Points:
    """Control points in `anatomy`'s order. Those outside the face lie as around the sample corpus's photograph."""
    right, left = points_68[48], points_68[54]
    outer, inner = points_68[48:60], points_68[60:68]
    lips = [_contour(right, left, row) for row in (outer[1:6], inner[1:4], inner[[7, 6, 5]], outer[[11, 10, 9, 8, 7]])]
    around = apply_similarity(fit_similarity(photo().points_68[STABLE], points_68[STABLE]), body.AROUND)
    return np.concatenate([points_68[:48], [right, left], *lips, body.cheeks_of(points_68, right, left), around])


def _contour(right: Points, left: Points, between_N2: Points) -> Points:
    """Nine points (9, 2) on the smooth line between the corners of the mouth through ``between_N2``."""
    ends = np.vstack([right, between_N2, left])
    axis = left - right
    along = (ends - right) @ axis / (axis @ axis) * 2 - 1
    away = (ends - right) @ np.array([-axis[1], axis[0]]) / (axis @ axis) * 2
    order = np.argsort(along)
    height = PchipInterpolator(np.maximum.accumulate(along[order] + 1e-6 * np.arange(len(along))), away[order])(_ACROSS)
    half = axis / 2
    return np.asarray((right + left) / 2 + _ACROSS[:, None] * half + height[:, None] * np.array([-half[1], half[0]]))


def _closed(photographed: Points, smile: float) -> Points:
    """Close the lips; the more the face smiles (0 to 1), the narrower the mouth and the lower its corners."""
    neutral = photographed.copy()
    right, left = photographed[body.CORNERS]
    middle, half = (right + left) / 2, (left - right) / 2
    length = float(np.linalg.norm(half))
    along, down = half / length, np.array([-half[1], half[0]]) / length
    contours = (body.UPPER_OUTER, body.UPPER_INNER, body.LOWER_INNER, body.LOWER_OUTER)
    upper_outer, upper_inner, lower_inner, lower_outer = ((photographed[rows] - middle) @ down for rows in contours)
    seam = (upper_inner + lower_inner) / 2
    drop = smile * seam[4]
    seam = (1 - smile) * seam + smile * (seam[4] + 0.02 * length * (1 - _ACROSS**2))
    eyes = _eye_distance(photographed)
    reach = (1 - smile) * length + smile * min(length, 0.272 * eyes)
    top = seam - np.maximum((1 + 0.5 * smile) * (upper_inner - upper_outer), 0.02 * length)
    bottom = seam + np.maximum(lower_outer - lower_inner, 0.02 * length)
    for rows, heights in zip(contours, (top, seam, seam, bottom), strict=True):
        neutral[rows] = middle + _ACROSS[:, None] * reach * along + heights[:, None] * down
    neutral[body.CORNERS] = middle + np.array([[-reach], [reach]]) * along + drop * down
    # Cheeks are lower without the smile.
    shift = np.array([[1.2, 0.9]] * 3 + [[-1.2, 0.9]] * 3 + [[0.6, 1.2], [-0.6, 1.2]])
    neutral[body.CHEEKS] += smile * eyes / 67 * shift
    return neutral
